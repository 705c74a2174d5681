import { Anchor, Button, Group, Paper, Stack, Text, Timeline, Title } from '@mantine/core'
import { IconArchive, IconRestore, IconShieldCheck, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import type { Job } from '../../../src/shared/jobs.ts'
import type { Restore } from '../../../src/shared/restores.ts'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useAsk } from '../api.ts'
import { type Translate, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes } from '../parts/bytes.tsx'
import { LinkTo } from '../parts/link.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { databaseTitle } from './database-title.ts'

/** Something that happened to the database. */
type Happening = { at: string } & ({ snapshot: Snapshot } | { failure: Job } | { restore: Restore })

/** How many are shown at first, and how many more each time. */
const SHOWN = 15

interface DatabaseHistoryProps {
  planId: string
  /** Of the plan. */
  serverId: string
  database: string
}

/** Snapshots, failures, restores and verifications on one line of time, the newest first. */
export function DatabaseHistory({ planId, serverId, database }: DatabaseHistoryProps) {
  const t = useT()
  const [shown, setShown] = useState(SHOWN)
  const snapshots = useAsk('GET /api/v1/snapshots', { query: { plan: planId, database, limit: 200 } })
  const failures = useAsk('GET /api/v1/jobs', {
    query: { plan: planId, database, kind: ['backup'], state: ['failed'], limit: 100 },
  })
  // Databases of other servers may be called the same.
  const into = useAsk('GET /api/v1/restores', { query: { server: serverId, database, limit: 100 } })
  const from = useAsk('GET /api/v1/restores', {
    query: { sourcePlan: planId, sourceDatabase: database, limit: 100 },
  })
  const names = useNames()
  /** Where it was restored to, if that was elsewhere. */
  const wordsFor = (restore: Restore) => {
    if (restore.serverId === null || (restore.serverId === serverId && restore.database === database)) {
      return undefined
    }
    const server = names.server(restore.serverId)
    return t('into “{{database}}” on {{server}}', { database: databaseTitle(restore.database) ?? '', server })
  }
  const questions = [snapshots, failures, into, from]
  const isAnswered = snapshots.data && failures.data && into.data && from.data
  const question = {
    data: isAnswered && happenings(snapshots.data, failures.data, [into.data, from.data]),
    error: questions.find(({ error }) => error)?.error ?? null,
    refetch: () => Promise.all(questions.map(({ refetch }) => refetch())),
  }
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h4">
            {t('What happened')}
          </Title>
          <Button
            component={LinkTo}
            to="/snapshots"
            search={{ plan: planId, database }}
            variant="default"
            size="xs"
          >
            {t('All snapshots')}
          </Button>
        </Group>
        <Asked question={question}>
          {({ all, since }) => (
            <>
              {all.length === 0 && <Text c="dimmed">{t('Nothing yet.')}</Text>}
              <Timeline bulletSize={24} lineWidth={2}>
                {all
                  .slice(0, shown)
                  .map((one) =>
                    'snapshot' in one
                      ? snapshotItem(one.snapshot, t)
                      : 'failure' in one
                        ? failureItem(one.failure, t)
                        : restoreItem(one.restore, wordsFor(one.restore), t),
                  )}
              </Timeline>
              {all.length > shown && (
                <Button variant="default" onClick={() => setShown(shown + SHOWN)}>
                  {t('Show more')}
                </Button>
              )}
              {all.length <= shown && since !== undefined && (
                <Text size="sm" c="dimmed">
                  {t('What happened before is not shown here.')}
                </Text>
              )}
            </>
          )}
        </Asked>
      </Stack>
    </Paper>
  )
}

/** The newest of a list. */
interface Newest<One> {
  items: readonly One[]
  /** Null if it has no more. */
  nextCursor: string | null
}

/** The newest first, as far back as nothing is missing between them; `since` if that is not all. */
function happenings(
  snapshots: Newest<Snapshot>,
  failures: Newest<Job>,
  restores: readonly Newest<Restore>[],
) {
  const endOf = ({ finishedAt, createdAt }: Pick<Job, 'finishedAt' | 'createdAt'>) => finishedAt ?? createdAt
  const restored = restores.map(({ items, nextCursor }) => ({
    happened: items.map((restore) => ({ at: endOf(restore), restore })),
    nextCursor,
  }))
  const lists: { happened: Happening[]; nextCursor: string | null }[] = [
    { ...snapshots, happened: snapshots.items.map((snapshot) => ({ at: snapshot.takenAt, snapshot })) },
    { ...failures, happened: failures.items.map((failure) => ({ at: endOf(failure), failure })) },
    ...restored,
  ]
  const since = lists
    .filter(({ nextCursor }) => nextCursor !== null)
    .flatMap(({ happened }) => happened.map(({ at }) => at).sort()[0] ?? [])
    .sort()
    .at(-1)
  // A restore of a snapshot of the database into itself was found twice.
  const seen = new Set<string>()
  const all = lists
    .flatMap(({ happened }) => happened)
    .filter((one) => !('restore' in one) || (!seen.has(one.restore.id) && seen.add(one.restore.id)))
    .filter(({ at }) => since === undefined || at >= since)
    .sort((a, b) => (a.at < b.at ? 1 : -1))
  return { all, since }
}

function snapshotItem({ id, takenAt, rawBytes, provenAt, comment, copies }: Snapshot, t: Translate) {
  const good = copies.filter(({ state }) => state === 'stored').length
  return (
    <Timeline.Item
      key={id}
      color={good === copies.length ? 'green' : 'orange'}
      bullet={
        provenAt === null ? <IconArchive size={13} aria-hidden /> : <IconShieldCheck size={13} aria-hidden />
      }
      title={
        <Group gap="xs">
          <Anchor component={LinkTo} to={`/snapshots/${id}`}>
            {t('Snapshot')}
          </Anchor>
          <Text size="sm" c="dimmed">
            <When at={takenAt} /> · <Bytes of={rawBytes} /> ·{' '}
            {t('{{good}} of {{count}} copies stored', { good, count: copies.length })}
          </Text>
        </Group>
      }
    >
      {comment !== null && <Text size="sm">{comment}</Text>}
    </Timeline.Item>
  )
}

function failureItem({ id, state, createdAt, finishedAt, error }: Job, t: Translate) {
  return (
    <Timeline.Item
      key={id}
      color="red"
      bullet={<IconX size={13} aria-hidden />}
      title={
        <Group gap="xs">
          <Anchor component={LinkTo} to={`/jobs/${id}`}>
            {t('Backup')}
          </Anchor>
          <JobStateBadge state={state} size="sm" />
          <Text size="sm" c="dimmed">
            <When at={finishedAt ?? createdAt} />
          </Text>
        </Group>
      }
    >
      {error && <Text size="sm">{error.message}</Text>}
    </Timeline.Item>
  )
}

function restoreItem(
  { id, state, createdAt, finishedAt, error }: Restore,
  where: string | undefined,
  t: Translate,
) {
  return (
    <Timeline.Item
      key={id}
      color={state === 'succeeded' ? 'blue' : state === 'failed' ? 'red' : 'gray'}
      bullet={<IconRestore size={13} aria-hidden />}
      title={
        <Group gap="xs">
          <Anchor component={LinkTo} to={`/restores/${id}`}>
            {t('Restore')}
          </Anchor>
          <JobStateBadge state={state} size="sm" />
          <Text size="sm" c="dimmed">
            <When at={finishedAt ?? createdAt} />
            {where !== undefined && ` · ${where}`}
          </Text>
        </Group>
      }
    >
      {error && <Text size="sm">{error.message}</Text>}
    </Timeline.Item>
  )
}
