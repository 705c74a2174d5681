import { Button, Menu, SimpleGrid } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconEdit, IconRestore, IconTrash } from '@tabler/icons-react'
import type { Server } from '../../../src/shared/servers.ts'
import { useAll, useAsk } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { LatestJobs } from '../jobs/latest-jobs.tsx'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { BackUpNow } from '../plans/back-up-now.tsx'
import { DeleteServer } from './delete-server.tsx'
import { ConnectionReport } from './connection-report.tsx'
import { ServerDatabases } from './server-databases.tsx'
import { ServerFacts } from './server-facts.tsx'
import { ServerPlans } from './server-plans.tsx'

export function ServerPage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const server = useAsk('GET /api/v1/servers/{id}', { params: { id } })
  return (
    <Page
      title={server.data?.name ?? t('Server')}
      above={[{ title: t('Servers'), to: '/servers' }]}
      actions={server.data && <Actions key={id} server={server.data} />}
    >
      <Asked question={server} lines={8}>
        {(server) => (
          <>
            <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
              <ServerFacts server={server} />
              <ConnectionReport id={server.id} />
            </SimpleGrid>
            <ServerPlans serverId={server.id} />
            <ServerDatabases serverId={server.id} />
            <LatestJobs query={{ server: server.id }} />
          </>
        )}
      </Asked>
    </Page>
  )
}

function Actions({ server: { id, name } }: { server: Server }) {
  const t = useT()
  const may = useMay()
  const [isDeleting, deleting] = useDisclosure(false)
  const plans = useAll('GET /api/v1/plans', { query: { server: id } })
  return (
    <>
      <BackUpNow plans={plans.data ?? []} />
      {may('restore') && (
        <Button
          variant="default"
          component={LinkTo}
          to="/restores/new"
          search={{ server: id }}
          leftSection={<IconRestore size={16} aria-hidden />}
        >
          {t('Restore')}
        </Button>
      )}
      {may('manage-servers') && (
        <>
          <Button
            variant="default"
            component={LinkTo}
            to={`/servers/${id}/edit`}
            leftSection={<IconEdit size={16} aria-hidden />}
          >
            {t('Edit')}
          </Button>
          <RowMenu label={t('More for {{name}}', { name })}>
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={deleting.open}>
              {t('Delete server')}
            </Menu.Item>
          </RowMenu>
          <DeleteServer id={id} name={name} isOpen={isDeleting} onClose={deleting.close} />
        </>
      )}
    </>
  )
}
