import { useEffect, useState } from 'react'
import type { z } from 'zod'
import { eventsOf } from '../../../src/client/events.ts'
import { asAppError, type AppError } from '../../../src/shared/errors.ts'
import type { logLine } from '../../../src/shared/jobs.ts'
import { client } from '../api.ts'

/** Numbered in the order in which they came. */
export type LogLine = z.output<typeof logLine> & { number: number }

export interface FollowedLog {
  /** The latest ones; what is older than so many is in the download only. */
  lines: readonly LogLine[]
  /** How many there were in all. */
  count: number
  isOver: boolean
  error: AppError | null
}

/** What is kept of a log that is followed: enough to search in, and not all the memory of a browser. */
const KEPT = 20_000
/** Lines that come together are shown together. */
const SHOW_EVERY = 150

const nothing: FollowedLog = { lines: [], count: 0, isOver: false, error: null }

/** What a job says, while it says it. Of another job only in a component of its own: give it a `key`. */
export function useLog(jobId: string): FollowedLog {
  const [log, setLog] = useState(nothing)
  useEffect(() => {
    const stop = new AbortController()
    let waiting: Omit<LogLine, 'number'>[] = []
    const show = (change: Partial<FollowedLog> = {}) => {
      const lines = waiting
      waiting = []
      setLog((known) => ({ ...withLines(known, lines), ...change }))
    }
    const timer = setInterval(() => waiting.length > 0 && show(), SHOW_EVERY)
    const follow = async () => {
      for await (const { event, data } of eventsOf(client, `/api/v1/jobs/${jobId}/log`, {
        signal: stop.signal,
      })) {
        if (event === 'line') waiting.push(data as Omit<LogLine, 'number'>)
        else if (event === 'end') show({ isOver: true })
      }
      show({ isOver: true })
    }
    follow().catch((error: unknown) => {
      if (!stop.signal.aborted) show({ error: asAppError(error) })
    })
    return () => {
      stop.abort()
      clearInterval(timer)
    }
  }, [jobId])
  return log
}

function withLines(log: FollowedLog, lines: readonly Omit<LogLine, 'number'>[]): FollowedLog {
  if (lines.length === 0) return log
  const numbered = lines.map((line, index) => ({ ...line, number: log.count + index }))
  return { ...log, lines: [...log.lines, ...numbered].slice(-KEPT), count: log.count + lines.length }
}
