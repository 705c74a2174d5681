import { Anchor, Button, Group, Paper, Stack, Text, Timeline, Title } from '@mantine/core'
import { IconArchive, IconRestore, IconShieldCheck, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import type { Job } from '../../../src/shared/jobs.ts'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes } from '../parts/bytes.tsx'
import { LinkTo } from '../parts/link.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'

/** Something that happened to the database. */
type Happening = { at: string } & ({ snapshot: Snapshot } | { job: Job })

/** How many are shown at first, and how many more each time. */
const SHOWN = 15

interface DatabaseHistoryProps {
  planId: string
  /** Of the plan; undefined if that is off, or has nothing to back up. */
  serverId: string | undefined
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
  const restores = useAsk('GET /api/v1/jobs', {
    query: { server: serverId, database, kind: ['restore'], limit: 100 },
  })
  const isAnswered = snapshots.data && failures.data && restores.data
  const question = {
    data: isAnswered && happenings(snapshots.data.items, [...failures.data.items, ...restores.data.items]),
    error: snapshots.error ?? failures.error ?? restores.error,
    refetch: () => Promise.all([snapshots.refetch(), failures.refetch(), restores.refetch()]),
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
          {(all) => (
            <>
              {all.length === 0 && <Text c="dimmed">{t('Nothing yet.')}</Text>}
              <Timeline bulletSize={24} lineWidth={2}>
                {all
                  .slice(0, shown)
                  .map((one) => ('snapshot' in one ? snapshotItem(one.snapshot, t) : jobItem(one.job, t)))}
              </Timeline>
              {all.length > shown && (
                <Button variant="default" onClick={() => setShown(shown + SHOWN)}>
                  {t('Show more')}
                </Button>
              )}
            </>
          )}
        </Asked>
      </Stack>
    </Paper>
  )
}

function happenings(snapshots: readonly Snapshot[], jobs: readonly Job[]): Happening[] {
  const all: Happening[] = [
    ...snapshots.map((snapshot) => ({ at: snapshot.takenAt, snapshot })),
    ...jobs.map((job) => ({ at: job.finishedAt ?? job.createdAt, job })),
  ]
  return all.sort((a, b) => (a.at < b.at ? 1 : -1))
}

function snapshotItem(
  { id, takenAt, rawBytes, provenAt, comment, copies }: Snapshot,
  t: ReturnType<typeof useT>,
) {
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

function jobItem({ id, kind, state, createdAt, finishedAt, error }: Job, t: ReturnType<typeof useT>) {
  const isRestore = kind === 'restore'
  return (
    <Timeline.Item
      key={id}
      color={isRestore && state === 'succeeded' ? 'blue' : state === 'failed' ? 'red' : 'gray'}
      bullet={isRestore ? <IconRestore size={13} aria-hidden /> : <IconX size={13} aria-hidden />}
      title={
        <Group gap="xs">
          <Anchor component={LinkTo} to={isRestore ? `/restores/${id}` : `/jobs/${id}`}>
            {isRestore ? t('Restore') : t('Backup')}
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
