import { useEffect, useState } from 'react'
import type { Job } from '../../../src/shared/jobs.ts'
import { useLanguage } from '../i18n/i18n.ts'
import { durationText } from '../parts/when.tsx'

/** How long a job has taken; of one that runs, so far. */
export function JobDuration({
  job: { startedAt, finishedAt },
}: {
  job: Pick<Job, 'startedAt' | 'finishedAt'>
}) {
  const language = useLanguage()
  const isRunning = startedAt !== null && finishedAt === null
  const now = useSeconds(isRunning)
  if (startedAt === null) return '–'
  const end = finishedAt === null ? now : Date.parse(finishedAt)
  return durationText(Math.max(0, end - Date.parse(startedAt)), language)
}

/** The clock, each second while it is looked at. */
function useSeconds(isNeeded: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!isNeeded) return undefined
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [isNeeded])
  return now
}
