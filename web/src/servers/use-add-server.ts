import { useRef, useState } from 'react'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import { AppError, asAppError } from '../../../src/shared/errors.ts'
import { useChange } from '../api.ts'
import { dailySchedule, type FirstPlan } from './first-plan.ts'
import { changesOf, type ServerDraft } from './server-draft.ts'

export type AddingStep = 'server' | 'schedule' | 'plan' | 'run'

interface Saved {
  id: string
  etag: string | undefined
  /** What was saved, to see whether it has changed since. */
  of: string
}

/**
 * Adds a server, then its schedule and its plan, and runs that. What is saved already is remembered: if a later step
 * fails, trying again adds nothing twice, and what was changed in the meantime is changed there.
 */
export function useAddServer(schedules: readonly NamedSchedule[]) {
  const addServer = useChange('POST /api/v1/servers')
  const changeServer = useChange('PATCH /api/v1/servers/{id}')
  const addSchedule = useChange('POST /api/v1/schedules')
  const addPlan = useChange('POST /api/v1/plans')
  const changePlan = useChange('PATCH /api/v1/plans/{id}')
  const runPlan = useChange('POST /api/v1/plans/{id}/run')
  const [server, setServer] = useState<Saved>()
  const [busy, setBusy] = useState<AddingStep>()
  const [failure, setFailure] = useState<{ step: AddingStep; error: AppError }>()
  const schedule = useRef<{ id: string; time: string }>(undefined)
  const plan = useRef<Saved>(undefined)

  async function saveServer(draft: ServerDraft): Promise<string> {
    const of = JSON.stringify(draft)
    if (server?.of === of) return server.id
    const { body, etag } = server
      ? await changeServer.mutateAsync({
          params: { id: server.id },
          body: changesOf(draft),
          ifMatch: server.etag,
        })
      : await addServer.mutateAsync({ body: draft })
    setServer({ id: body.id, etag, of })
    return body.id
  }

  async function saveSchedule({ when, scheduleId, time }: FirstPlan): Promise<string[]> {
    if (when === 'hand') return []
    if (when === 'schedule') return scheduleId === null ? [] : [scheduleId]
    if (schedule.current?.time !== time) {
      const { body } = await addSchedule.mutateAsync({ body: dailySchedule(time, schedules) })
      schedule.current = { id: body.id, time }
    }
    return [schedule.current.id]
  }

  async function savePlan(serverId: string, scheduleIds: string[], first: FirstPlan): Promise<string> {
    const { databases, excludedDatabases, retention } = first
    const volumes = first.volumes.map((id) => ({ id }))
    const given = { databases, excludedDatabases, retention, volumes, schedules: scheduleIds }
    const of = JSON.stringify(given)
    if (plan.current?.of === of) return plan.current.id
    const { body, etag } = plan.current
      ? await changePlan.mutateAsync({
          params: { id: plan.current.id },
          body: given,
          ifMatch: plan.current.etag,
        })
      : await addPlan.mutateAsync({ body: { ...given, serverId } })
    plan.current = { id: body.id, etag, of }
    return body.id
  }

  /** Undefined if it failed: then `failure` says why, and where. */
  async function trying<T>(step: AddingStep, act: () => Promise<T>): Promise<T | undefined> {
    setBusy(step)
    setFailure(undefined)
    try {
      return await act()
    } catch (error) {
      setFailure({ step, error: asAppError(error) })
      return undefined
    } finally {
      setBusy(undefined)
    }
  }

  return {
    /** Undefined until the server is saved. */
    serverId: server?.id,
    busy,
    failure,
    /** Only the server. */
    addServer: (draft: ServerDraft) => trying('server', () => saveServer(draft)),
    /** All of it; resolves with the job to follow. */
    async addAll(draft: ServerDraft, first: FirstPlan): Promise<string | undefined> {
      const serverId = await trying('server', () => saveServer(draft))
      if (serverId === undefined) return undefined
      const scheduleIds = await trying('schedule', () => saveSchedule(first))
      if (scheduleIds === undefined) return undefined
      const planId = await trying('plan', () => savePlan(serverId, scheduleIds, first))
      if (planId === undefined) return undefined
      return await trying('run', async () => {
        const { body } = await runPlan.mutateAsync({ params: { id: planId }, body: {} })
        if (!('jobId' in body)) throw new AppError('internal', 'The run was not started.')
        return body.jobId
      })
    },
  }
}
