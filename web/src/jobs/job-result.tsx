import { Alert, Anchor, Badge, Code, Group, List, ScrollArea, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { Job } from '../../../src/shared/jobs.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText, numberText } from '../parts/bytes.tsx'
import { LinkTo } from '../parts/link.tsx'
import { CopyStateBadge } from '../parts/state-badge.tsx'
import { durationText } from '../parts/when.tsx'
import type { Names } from './names.ts'
import { hooksOf, results } from './results.ts'

interface JobResultProps {
  job: Job
  names: Names
}

/** What came of a job, in words. */
export function JobResult({ job, names }: JobResultProps) {
  const hooks = hooksOf(job.result)
  return (
    <Stack gap="md">
      <OfKind job={job} names={names} />
      {hooks.length > 0 && <Hooks hooks={hooks} />}
    </Stack>
  )
}

function OfKind({ job, names }: JobResultProps) {
  const t = useT()
  const language = useLanguage()
  const { kind, result } = job
  const bytes = (value: number) => bytesText(value, language)
  const count = (value: number) => numberText(value, language)
  switch (kind) {
    case 'backup': {
      const made = results.backup.safeParse(result).data
      if (!made) break
      return (
        <Stack gap="sm">
          <Anchor component={LinkTo} to={`/snapshots/${made.snapshotId}`} fw={500}>
            {t('To the snapshot')}
          </Anchor>
          <Text size="sm">
            {t('{{raw}} were dumped, which are {{stored}} as they are stored.', {
              raw: bytes(made.rawBytes),
              stored: bytes(made.storedBytes),
            })}
          </Text>
          <Copies copies={made.copies} names={names} />
          <Warnings warnings={made.warnings} />
        </Stack>
      )
    }
    case 'restore': {
      const made = results.restore.safeParse(result).data
      if (!made) break
      return (
        <Stack gap="sm">
          <Text size="sm">
            {made.rows
              ? t('Restored: {{rows}} rows in {{count}} tables, as in the snapshot.', {
                  rows: count(made.rows.rows),
                  count: made.rows.tables,
                })
              : t('Restored. There were no rows to compare.')}
          </Text>
          <Anchor component={LinkTo} to={`/restores/${job.id}`} size="sm">
            {t('To the restore')}
          </Anchor>
        </Stack>
      )
    }
    case 'verify': {
      const made = results.verify.safeParse(result).data
      if (made) return <Copies copies={made.copies} names={names} />
      break
    }
    case 'run-plan': {
      const made = results['run-plan'].safeParse(result).data
      if (made)
        return <Text size="sm">{t('{{count}} backups were ordered.', { count: made.jobs.length })}</Text>
      break
    }
    case 'repair-copy': {
      const made = results['repair-copy'].safeParse(result).data
      if (!made) break
      return (
        <Text size="sm">
          {made.done && made.from !== undefined
            ? t('The copy is there again, made from the one on “{{volume}}”.', {
                volume: names.volume(made.from),
              })
            : t('There was nothing to repair any more.')}
        </Text>
      )
    }
    case 'file-check': {
      const made = results['file-check'].safeParse(result).data
      if (made)
        return (
          <Text size="sm">
            {t('{{count}} copies were looked for, and all are there.', { count: made.copies })}
          </Text>
        )
      break
    }
    case 'content-check':
    case 'prune':
    case 'delete-snapshots': {
      const made = results.copies.safeParse(result).data
      if (!made) break
      const values = { count: made.copies, bytes: bytes(made.bytes) }
      if (kind === 'content-check')
        return <Text size="sm">{t('{{count}} copies with {{bytes}} were read and compared.', values)}</Text>
      if (kind === 'prune')
        return <Text size="sm">{t('{{count}} copies with {{bytes}} are no longer kept.', values)}</Text>
      return <Text size="sm">{t('{{count}} copies with {{bytes}} were deleted.', values)}</Text>
    }
    case 'scan-volume': {
      const made = results['scan-volume'].safeParse(result).data
      if (!made) break
      return (
        <List size="sm">
          <List.Item>{t('Manifests found: {{number}}', { number: count(made.found) })}</List.Item>
          <List.Item>{t('New to the catalogue: {{number}}', { number: count(made.adopted) })}</List.Item>
          <List.Item>{t('Known before: {{number}}', { number: count(made.known) })}</List.Item>
          <List.Item>{t('Not readable: {{number}}', { number: count(made.unreadableCount) })}</List.Item>
          <List.Item>
            {t('Without their object: {{number}}', { number: count(made.withoutObjectCount) })}
          </List.Item>
        </List>
      )
    }
    default:
  }
  return (
    <ScrollArea.Autosize mah={320} type="auto">
      <Code block tabIndex={0}>
        {JSON.stringify(result, null, 2)}
      </Code>
    </ScrollArea.Autosize>
  )
}

interface CopiesProps {
  copies: {
    volumeId: string
    state?: Parameters<typeof CopyStateBadge>[0]['state'] | undefined
    error?: { message: string } | undefined
  }[]
  names: Names
}

function Copies({ copies, names }: CopiesProps) {
  return (
    <Stack gap="xs">
      {copies.map(({ volumeId, state, error }) => (
        <div key={volumeId}>
          <Group gap="xs">
            <Anchor component={LinkTo} to={`/volumes/${volumeId}`} size="sm">
              {names.volume(volumeId)}
            </Anchor>
            {state && <CopyStateBadge state={state} />}
          </Group>
          {error && <Text size="sm">{error.message}</Text>}
        </div>
      ))}
    </Stack>
  )
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
  const t = useT()
  if (warnings.length === 0) return null
  return (
    <Alert color="orange" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('Warnings')}>
      <List size="sm">
        {warnings.map((warning) => (
          <List.Item key={warning}>{warning}</List.Item>
        ))}
      </List>
    </Alert>
  )
}

export function Hooks({ hooks }: { hooks: ReturnType<typeof hooksOf> }) {
  const t = useT()
  const language = useLanguage()
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        {t('Hooks')}
      </Text>
      {hooks.map(({ name, outcome, seconds, message }, index) => (
        <div key={index}>
          <Group gap="xs">
            <Text size="sm">{name}</Text>
            <Badge color={outcome === 'succeeded' ? 'green' : 'red'} variant="light" tt="none">
              {t(outcome)}
            </Badge>
            <Text size="sm" c="dimmed">
              {durationText(seconds * 1000, language)}
            </Text>
          </Group>
          {message !== undefined && <Text size="sm">{message}</Text>}
        </div>
      ))}
    </Stack>
  )
}
