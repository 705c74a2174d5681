import { Anchor, Badge, Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { SnapshotDetails } from '../../../src/shared/snapshots-api.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'
import { CopyValue } from '../parts/copy-value.tsx'
import { Facts } from '../parts/facts.tsx'
import { LinkTo } from '../parts/link.tsx'
import { exactTime, When } from '../parts/when.tsx'
import { useEngines } from '../servers/use-engines.ts'
import { LockBadge } from './lock-badge.tsx'

const triggers: Readonly<Record<string, string>> = {
  manual: msg('by hand'),
  schedule: msg('by a schedule'),
  migration: msg('before a migration'),
  safety: msg('before a restore, as its safety snapshot'),
}

/** What a snapshot is, of what, and how it was made. */
export function SnapshotFacts({ snapshot }: { snapshot: SnapshotDetails }) {
  const t = useT()
  const language = useLanguage()
  const { labelOf } = useEngines()
  const { manifest, planId, planName, serverId, serverName, jobId, releaseVersion } = snapshot
  const { compression, encryption, tool, server } = manifest
  const size = t('{{stored}} stored, {{raw}} unpacked', {
    stored: bytesText(snapshot.storedBytes, language),
    raw: bytesText(snapshot.rawBytes, language),
  })
  return (
    <Paper withBorder p="md" component="section">
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {t('Facts')}
          </Title>
          <Group gap="xs">
            <LockBadge locked={snapshot.locked} />
            {snapshot.isPartial && (
              <Badge color="orange" variant="light" tt="none">
                {t('a part of the database')}
              </Badge>
            )}
            {snapshot.isForeign && (
              <Badge color="gray" variant="light" tt="none">
                {t('made by another program')}
              </Badge>
            )}
          </Group>
        </Group>
        <Facts
          facts={[
            [t('Taken'), exactTime(snapshot.takenAt, language)],
            [t('Database'), snapshot.database],
            [
              t('Server'),
              serverId === null ? (
                t('{{server}} (gone)', { server: serverName })
              ) : (
                <Anchor key="server" component={LinkTo} to={`/servers/${serverId}`} size="sm">
                  {serverName}
                </Anchor>
              ),
            ],
            [
              t('Engine'),
              t('{{engine}} {{version}}', { engine: labelOf(snapshot.engine), version: server.version }),
            ],
            [
              t('Plan'),
              planId === null ? (
                (planName ?? t('of no plan'))
              ) : (
                <Anchor key="plan" component={LinkTo} to={`/plans/${planId}`} size="sm">
                  {planName}
                </Anchor>
              ),
            ],
            [t('Why'), t(triggers[snapshot.trigger] ?? snapshot.trigger)],
            [t('Release'), releaseVersion ?? undefined],
            [t('Size'), size],
            [
              t('Format'),
              t('{{format}} of {{tool}} {{version}}', {
                format: snapshot.format,
                tool: tool.name,
                version: tool.version,
              }),
            ],
            [t('Compression'), compression.method === 'none' ? t('none') : compression.method],
            [
              t('Encryption'),
              encryption === null ? t('none') : <Encryption key="encryption" snapshot={snapshot} />,
            ],
            [t('Proven by a restore'), <When key="proven" at={snapshot.provenAt} />],
            [t('SHA-256'), <CopyValue key="sha" value={snapshot.sha256} label={t('Copy the SHA-256')} />],
            [t('Id'), <CopyValue key="id" value={snapshot.id} label={t('Copy the id')} />],
            [
              t('Made by'),
              jobId === null ? undefined : (
                <Anchor key="job" component={LinkTo} to={`/jobs/${jobId}`} size="sm">
                  {t('To its job')}
                </Anchor>
              ),
            ],
          ]}
        />
      </Stack>
    </Paper>
  )
}

function Encryption({ snapshot: { manifest, keyFingerprint } }: { snapshot: SnapshotDetails }) {
  const t = useT()
  return (
    <Text size="sm" span>
      {keyFingerprint === null
        ? manifest.encryption?.method
        : t('{{method}}, key {{fingerprint}}', {
            method: manifest.encryption?.method,
            fingerprint: keyFingerprint,
          })}
    </Text>
  )
}
