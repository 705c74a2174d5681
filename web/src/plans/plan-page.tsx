import { Button, Menu, SimpleGrid, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconAdjustments, IconEdit, IconTrash } from '@tabler/icons-react'
import type { Plan } from '../../../src/shared/plans.ts'
import { useAsk } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { LatestJobs } from '../jobs/latest-jobs.tsx'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { Section } from '../parts/section.tsx'
import { BackUpNow } from './back-up-now.tsx'
import { DeletePlan } from './delete-plan.tsx'
import { MatchList } from './matches.tsx'
import { NextRuns } from './next-runs.tsx'
import { PlanFacts } from './plan-facts.tsx'
import { PlanSnapshots } from './plan-snapshots.tsx'
import { SavedRetentionPreview } from './retention-preview.tsx'
import { RunPlan } from './run-plan.tsx'

export function PlanPage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const plan = useAsk('GET /api/v1/plans/{id}', { params: { id } })
  return (
    <Page
      title={plan.data?.name ?? t('Plan')}
      above={[{ title: t('Plans'), to: '/plans' }]}
      actions={plan.data && <Actions key={id} plan={plan.data} />}
    >
      <Asked question={plan} lines={8}>
        {(plan) => (
          <>
            <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
              <PlanFacts plan={plan} />
              <Stack gap="lg">
                <NextRuns plan={plan} />
                <Databases planId={plan.id} />
              </Stack>
            </SimpleGrid>
            <PlanSnapshots planId={plan.id} />
            <Section title={t('What retention does')} about={t('Which copies go, which stay, and why.')}>
              <SavedRetentionPreview planId={plan.id} />
            </Section>
            <LatestJobs query={{ plan: plan.id }} />
          </>
        )}
      </Asked>
    </Page>
  )
}

/** As the server lists them now. */
function Databases({ planId }: { planId: string }) {
  const t = useT()
  const matches = useAsk('GET /api/v1/plans/{id}/databases', { params: { id: planId } })
  return (
    <Section title={t('Databases')}>
      <Asked question={matches} lines={2}>
        {(matches) => <MatchList matches={matches} />}
      </Asked>
    </Section>
  )
}

function Actions({ plan }: { plan: Plan }) {
  const t = useT()
  const may = useMay()
  const [isRunning, running] = useDisclosure(false)
  const [isDeleting, deleting] = useDisclosure(false)
  const { id, name } = plan
  return (
    <>
      <BackUpNow plans={[plan]} />
      {may('manage-plans') && (
        <Button
          variant="default"
          component={LinkTo}
          to={`/plans/${id}/edit`}
          leftSection={<IconEdit size={16} aria-hidden />}
        >
          {t('Edit')}
        </Button>
      )}
      {(may('run-backups') || may('manage-plans')) && (
        <RowMenu label={t('More for {{name}}', { name })}>
          {may('run-backups') && (
            <Menu.Item leftSection={<IconAdjustments size={16} aria-hidden />} onClick={running.open}>
              {t('Back up some databases …')}
            </Menu.Item>
          )}
          {may('manage-plans') && (
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={deleting.open}>
              {t('Delete plan')}
            </Menu.Item>
          )}
        </RowMenu>
      )}
      <RunPlan plan={plan} isOpen={isRunning} onClose={running.close} />
      <DeletePlan plan={plan} isOpen={isDeleting} onClose={deleting.close} />
    </>
  )
}
