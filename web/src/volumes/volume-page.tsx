import { Button, Menu, SimpleGrid, Stack } from '@mantine/core'
import { IconFileCheck, IconFileSearch, IconPencil, IconTestPipe, IconTrash } from '@tabler/icons-react'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useAsk, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { Section } from '../parts/section.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { ForgetVolume } from './forget-volume.tsx'
import { ImportSnapshots } from './import-snapshots.tsx'
import { VolumeFacts } from './volume-facts.tsx'
import { VolumeGrowth } from './volume-growth.tsx'
import { VolumeHoldings } from './volume-holdings.tsx'
import { VolumeJobs } from './volume-jobs.tsx'

export function VolumePage() {
  const t = useT()
  const may = useMay()
  const { id = '' } = useParams({ strict: false })
  const volume = useAsk('GET /api/v1/volumes/{id}', { params: { id } })
  const [isForgetting, setForgetting] = useState(false)
  const test = useChange('POST /api/v1/volumes/{id}/test', { changesNothing: true })
  const check = useChange('POST /api/v1/volumes/{id}/check')
  const name = volume.data?.name ?? t('Volume')
  const order = (contents: boolean, share?: number) =>
    check.mutate({ params: { id }, body: { contents, ...(share !== undefined && { share }) } })
  const actions = (
    <>
      {may('run-backups') && (
        <Button
          leftSection={<IconTestPipe size={16} aria-hidden />}
          loading={test.isPending}
          onClick={() => test.mutate({ params: { id } })}
        >
          {t('Test')}
        </Button>
      )}
      {may('manage-volumes') && (
        <Button
          component={LinkTo}
          to={`/volumes/${id}/edit`}
          variant="default"
          leftSection={<IconPencil size={16} aria-hidden />}
        >
          {t('Edit')}
        </Button>
      )}
      {(may('run-backups') || may('manage-volumes')) && (
        <RowMenu label={t('More for “{{name}}”', { name })}>
          {may('run-backups') && (
            <>
              <Menu.Item leftSection={<IconFileCheck size={16} aria-hidden />} onClick={() => order(false)}>
                {t('Check that every copy is there')}
              </Menu.Item>
              <Menu.Item leftSection={<IconFileSearch size={16} aria-hidden />} onClick={() => order(true)}>
                {t('Also read the contents of one day’s share')}
              </Menu.Item>
              <Menu.Item
                leftSection={<IconFileSearch size={16} aria-hidden />}
                onClick={() => order(true, 1)}
              >
                {t('Also read the contents of all copies')}
              </Menu.Item>
            </>
          )}
          {may('manage-volumes') && (
            <>
              <Menu.Divider />
              <Menu.Item
                color="red"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => setForgetting(true)}
              >
                {t('Forget volume')}
              </Menu.Item>
            </>
          )}
        </RowMenu>
      )}
    </>
  )
  return (
    <Page title={name} above={[{ title: t('Volumes'), to: '/volumes' }]} actions={actions}>
      <Asked question={volume}>
        {(volume) => (
          <Stack gap="lg">
            {test.error && <Failed error={test.error} />}
            {test.data && <TestReportView report={test.data.body} />}
            {check.error && <Failed error={check.error} />}
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
              <VolumeHoldings id={id} />
              <VolumeFacts volume={volume} />
            </SimpleGrid>
            <Section title={t('Growth')}>
              <VolumeGrowth id={id} />
            </Section>
            <VolumeJobs id={id} />
            <ImportSnapshots id={id} />
            {may('manage-volumes') && (
              <ForgetVolume
                id={id}
                name={volume.name}
                isOpen={isForgetting}
                onClose={() => setForgetting(false)}
              />
            )}
          </Stack>
        )}
      </Asked>
    </Page>
  )
}
