import { Loader, Stack, Text, Timeline } from '@mantine/core'
import { IconCheck, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { isOver, type Job, type JobState } from '../../../src/shared/jobs.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { durationText, exactTime, useNow } from '../parts/when.tsx'
import { JobProgress } from './job-progress.tsx'
import { WaitsFor } from './job-table.tsx'
import { phaseText, type Stage, stagesOf } from './phases.ts'
import { secondsOf } from './results.ts'

const endWords: Record<Exclude<JobState, 'queued' | 'running'>, string> = {
  succeeded: msg('Succeeded'),
  partial: msg('Partly done'),
  failed: msg('Failed'),
  cancelled: msg('Cancelled'),
}

/** The way of a job: ordered, begun, its phases with the present one alive, and its end. */
export function JobStages({ job }: { job: Job }) {
  const t = useT()
  const language = useLanguage()
  const now = useNow(job.runAt)
  const { kind, state, createdAt, startedAt, finishedAt, attempt, maxAttempts, runAt } = job
  const at = (time: string | null) => (time === null ? undefined : exactTime(time, language))
  const stages: (Stage & { seconds?: number })[] =
    state === 'running' ? stagesOf(kind, job.progress?.phase ?? 'connecting') : pastStages(job)
  const begun: Item = {
    key: 'begun',
    title: startedAt === null ? t('Begins') : t('Begun'),
    text: (
      <Stack gap={4}>
        {startedAt !== null
          ? at(startedAt)
          : Date.parse(runAt) > now && t('Not before {{time}}', { time: at(runAt) })}
        {attempt > 1 && <span>{t('Attempt {{attempt}} of {{maxAttempts}}', { attempt, maxAttempts })}</span>}
        {state === 'queued' && <WaitsFor resources={job.waitsForResources} />}
      </Stack>
    ),
    state: state === 'queued' ? 'now' : 'done',
  }
  const items: Item[] = [
    { key: 'ordered', title: t('Ordered'), text: at(createdAt), state: 'done' },
    // Of one that was cancelled while it waited, there is no beginning.
    ...(startedAt === null && isOver(state) ? [] : [begun]),
    ...stages.map(({ phase, state, seconds }) => ({
      key: phase,
      title: phaseText(t, phase, kind),
      text:
        state === 'now' ? (
          <JobProgress job={job} isDetailed />
        ) : (
          seconds !== undefined && durationText(seconds * 1000, language)
        ),
      state,
    })),
    {
      key: 'end',
      title: isOver(state) ? t(endWords[state as keyof typeof endWords]) : t('Done'),
      text: at(finishedAt),
      state: isOver(state) ? 'done' : 'next',
      isBad: state === 'failed' || state === 'cancelled',
    },
  ]
  const reached = items.filter(({ state }) => state !== 'next').length - 1
  return (
    <Timeline active={reached} bulletSize={24} lineWidth={2} aria-label={t('Stages')}>
      {items.map((item) => (
        <Timeline.Item
          key={item.key}
          title={
            <Text fw={item.state === 'now' ? 600 : 500} size="sm">
              {item.title}
            </Text>
          }
          bullet={<Bullet item={item} />}
          color={item.isBad ? 'red' : undefined}
          lineVariant={item.state === 'done' ? 'solid' : 'dashed'}
        >
          <Text size="sm" c="dimmed" component="div">
            {item.text}
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  )
}

interface Item {
  key: string
  title: string
  text: ReactNode
  state: Stage['state']
  isBad?: boolean
}

function Bullet({ item: { state, isBad } }: { item: Item }) {
  if (state === 'now') return <Loader size={14} color="white" aria-hidden />
  if (state === 'next') return null
  return isBad ? <IconX size={14} aria-hidden /> : <IconCheck size={14} aria-hidden />
}

/** Of a job that is over, only those phases that its result tells of. */
function pastStages(job: Job): (Stage & { seconds?: number })[] {
  return Object.entries(secondsOf(job.result)).map(([phase, seconds]) => ({ phase, seconds, state: 'done' }))
}
