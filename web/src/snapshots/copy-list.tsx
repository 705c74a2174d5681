import { Alert, Anchor, Button, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { Copy, Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Bytes } from '../parts/bytes.tsx'
import { CopyValue } from '../parts/copy-value.tsx'
import { Facts } from '../parts/facts.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { CopyStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { hasGoodCopy } from './snapshot-copies.tsx'

/** Where a snapshot lies, and how each copy is; none that is good is said loudly. */
export function CopyList({ snapshot: { id, copies } }: { snapshot: Pick<Snapshot, 'id' | 'copies'> }) {
  const t = useT()
  return (
    <Paper withBorder p="md" component="section">
      <Stack gap="md">
        <Title order={2} size="h4">
          {t('Copies')}
        </Title>
        {!hasGoodCopy(copies) && (
          <Alert
            role="alert"
            color="red"
            variant="filled"
            icon={<IconAlertTriangle aria-hidden />}
            title={t('No copy of this snapshot is good')}
          >
            {t('It cannot be restored. Look at why below, and back the database up anew.')}
          </Alert>
        )}
        {copies.map((copy) => (
          <CopyFacts key={copy.volumeId} snapshotId={id} copy={copy} />
        ))}
      </Stack>
    </Paper>
  )
}

function CopyFacts({ snapshotId, copy }: { snapshotId: string; copy: Copy }) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const verify = useChange('POST /api/v1/snapshots/{id}/verify', {
    onSuccess: ({ body }) => navigate({ to: `/jobs/${body.jobId}` }),
  })
  const { volumeId, volumeName, state, key, bytes, error, checkedAt, contentCheckedAt } = copy
  return (
    <Paper withBorder p="sm">
      <Stack gap="xs">
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Anchor component={LinkTo} to={`/volumes/${volumeId}`} fw={600} size="sm">
              {volumeName}
            </Anchor>
            <CopyStateBadge state={state} />
          </Group>
          {may('run-backups') && state !== 'failed' && state !== 'delete_pending' && (
            <Button
              size="compact-sm"
              variant="default"
              aria-label={t('Verify the copy on {{volume}}', { volume: volumeName })}
              loading={verify.isPending}
              leftSection={<IconShieldCheck size={14} aria-hidden />}
              onClick={() => verify.mutate({ params: { id: snapshotId }, body: { volumeId } })}
            >
              {t('Verify')}
            </Button>
          )}
        </Group>
        {error && (
          <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />}>
            <Text size="sm">{error.message}</Text>
            {error.hint !== undefined && (
              <Text size="sm" fw={500}>
                {error.hint}
              </Text>
            )}
          </Alert>
        )}
        {verify.error && <Failed error={verify.error} />}
        <Facts
          facts={[
            [t('Size'), <Bytes key="bytes" of={bytes} />],
            [t('Looked for'), <When key="checked" at={checkedAt} />],
            [t('Read and compared'), <When key="read" at={contentCheckedAt} />],
            [t('Key'), <CopyValue key="key" value={key} label={t('Copy the key')} />],
          ]}
        />
      </Stack>
    </Paper>
  )
}
