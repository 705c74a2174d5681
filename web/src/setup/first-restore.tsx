import { Button, Code, Group, Stack, Text } from '@mantine/core'
import { IconRestore } from '@tabler/icons-react'
import { useState } from 'react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { besideName } from '../restores/beside-name.ts'
import { FollowedJob } from './followed-job.tsx'

/** Restores the snapshot on the same server, under a new name. */
export function FirstRestore({ snapshot: { id, serverId, database } }: { snapshot: Snapshot }) {
  const t = useT()
  const may = useMay()
  const [jobId, setJobId] = useState<string>()
  const restore = useChange('POST /api/v1/restores', { onSuccess: ({ body }) => setJobId(body.jobId) })
  const beside = besideName(database)
  if (serverId === null || !may('restore')) return null
  return (
    <Stack>
      <Text>
        {t('It becomes')} <Code>{beside}</Code>
      </Text>
      {jobId !== undefined && <FollowedJob id={jobId} />}
      {restore.error && <Failed error={restore.error} />}
      <Group>
        <Button
          leftSection={<IconRestore size={16} aria-hidden />}
          loading={restore.isPending}
          onClick={() =>
            restore.mutate({ body: { snapshotId: id, serverId, database: beside, mode: 'new' } })
          }
        >
          {t('Restore it beside')}
        </Button>
        <Button component={LinkTo} to={`/restores/new`} search={{ snapshot: id }} variant="default">
          {t('Choose where to')}
        </Button>
      </Group>
    </Stack>
  )
}
