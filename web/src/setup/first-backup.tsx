import { Button, Group, Stack } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useState } from 'react'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import type { Plan } from '../../../src/shared/plans.ts'
import type { Server } from '../../../src/shared/servers.ts'
import type { Volume } from '../../../src/shared/volumes.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { FollowedJob } from './followed-job.tsx'

interface FirstBackupProps {
  server: Server
  plan: Plan | undefined
  volume: Volume
}

/** Makes a plan for the server if there is none, and runs it. */
export function FirstBackup({ server, plan, volume }: FirstBackupProps) {
  const t = useT()
  const [jobId, setJobId] = useState<string>()
  const [error, setError] = useState<AppError>()
  const add = useChange('POST /api/v1/plans')
  const run = useChange('POST /api/v1/plans/{id}/run')
  const start = async () => {
    setError(undefined)
    try {
      const id =
        plan?.id ??
        (
          await add.mutateAsync({
            body: { serverId: server.id, name: server.name, volumes: [{ id: volume.id }] },
          })
        ).body.id
      const { body } = await run.mutateAsync({ params: { id }, body: {} })
      if ('jobId' in body) setJobId(body.jobId)
    } catch (thrown) {
      setError(asAppError(thrown))
    }
  }
  return (
    <Stack>
      {jobId !== undefined && <FollowedJob id={jobId} />}
      {error && <Failed error={error} />}
      <Group>
        <Button
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          loading={add.isPending || run.isPending}
          onClick={() => void start()}
        >
          {t('Back up now')}
        </Button>
      </Group>
    </Stack>
  )
}
