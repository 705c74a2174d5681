import { Accordion, Button, Code, Grid, ScrollArea, Stack } from '@mantine/core'
import { IconRestore } from '@tabler/icons-react'
import type { SnapshotDetails } from '../../../src/shared/snapshots-api.ts'
import { useAsk } from '../api.ts'
import { useParams } from '../filters.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { JobLog } from '../jobs/job-log.tsx'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { shortName } from '../parts/database-name.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { shortTime } from '../parts/when.tsx'
import { CopyList } from './copy-list.tsx'
import { DownloadMenu } from './download-menu.tsx'
import { SnapshotComment } from './snapshot-comment.tsx'
import { SnapshotContentsView } from './snapshot-contents.tsx'
import { SnapshotFacts } from './snapshot-facts.tsx'
import { SnapshotMenu } from './snapshot-menu.tsx'

export function SnapshotPage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const snapshot = useAsk('GET /api/v1/snapshots/{id}', { params: { id } })
  if (snapshot.data) return <Shown key={id} snapshot={snapshot.data} />
  return (
    <Page title={t('Snapshot')} above={[{ title: t('Snapshots'), to: '/snapshots' }]}>
      <Asked question={snapshot} lines={8}>
        {() => null}
      </Asked>
    </Page>
  )
}

function Shown({ snapshot }: { snapshot: SnapshotDetails }) {
  const t = useT()
  const language = useLanguage()
  const may = useMay()
  const { id, database, takenAt, serverName, keyId, jobId, manifest } = snapshot
  return (
    <Page
      title={t('{{database}} of {{time}}', {
        database: shortName(database),
        time: shortTime(takenAt, language),
      })}
      about={t('A snapshot of the server “{{server}}”.', { server: serverName })}
      above={[{ title: t('Snapshots'), to: '/snapshots' }]}
      actions={
        <>
          {may('restore') && (
            <Button
              component={LinkTo}
              to="/restores/new"
              search={{ snapshot: id }}
              leftSection={<IconRestore size={16} aria-hidden />}
            >
              {t('Restore')}
            </Button>
          )}
          {may('download-snapshots') && <DownloadMenu snapshotId={id} isEncrypted={keyId !== null} />}
          <SnapshotMenu snapshot={snapshot} />
        </>
      }
    >
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Stack gap="lg">
            <CopyList snapshot={snapshot} />
            <SnapshotComment snapshot={snapshot} />
            <SnapshotContentsView snapshotId={id} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <SnapshotFacts snapshot={snapshot} />
        </Grid.Col>
      </Grid>
      {jobId !== null && <JobLog key={jobId} jobId={jobId} />}
      <Accordion variant="contained">
        <Accordion.Item value="manifest">
          <Accordion.Control>{t('Manifest')}</Accordion.Control>
          <Accordion.Panel>
            <ScrollArea.Autosize
              mah={480}
              type="auto"
              viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': t('Manifest') }}
            >
              <Code block>{JSON.stringify(manifest, null, 2)}</Code>
            </ScrollArea.Autosize>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Page>
  )
}
