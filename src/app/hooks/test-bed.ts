import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hook } from '../../shared/hooks.ts'
import type { Job } from '../../shared/jobs.ts'
import type { Plan } from '../../shared/plans.ts'
import type { StorePlace } from '../../store/test-bed.ts'
import type { AppContext } from '../context.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { openRestores } from '../restores/test-bed.ts'

/** The app with a plan of a SQLite file, what runs around its backups, and what came of it. */
export async function openHooks(makePlace: () => Promise<StorePlace>, more: Partial<AppContext> = {}) {
  const app = await openRestores(makePlace, more)
  const database = app.file('shop.db')
  const addPlan = async (fields: object = {}) =>
    (await app.post('plans', {
      serverId: app.shop,
      name: 'nightly',
      volumes: [{ id: app.volumeId }],
      tries: 1,
      backoffSeconds: 1,
      ...fields,
    })) as Plan
  const jobsOf = async (kind: string) =>
    (await app.ask('GET', `/api/v1/jobs?kind=${kind}`)).json<{ items: Job[] }>().items
  return {
    ...app,
    database,
    addPlan,
    jobsOf,
    async set(settings: object): Promise<void> {
      const answer = await app.ask('PATCH', '/api/v1/instance-settings', settings)
      assert.equal(answer.statusCode, 200, answer.body)
    },
    /** A script after successful backups, unless something else is said. */
    async addHook(script: string, fields: object = {}): Promise<Hook> {
      const hook = {
        name: 'hook',
        around: 'backup',
        moment: 'after-success',
        kind: 'script',
        settings: { script },
      }
      return (await app.post('hooks', { ...hook, ...fields })) as Hook
    },
    async start({ id }: Pick<Plan, 'id'>, body: object = {}): Promise<void> {
      const answer = await app.ask('POST', `/api/v1/plans/${id}/run`, body)
      assert.equal(answer.statusCode, 202, answer.body)
    },
    /** Runs the plan, and all that it orders. Returns its newest backup. */
    async backUp(plan: Pick<Plan, 'id'>, body: object = {}): Promise<Job> {
      await this.start(plan, body)
      await runJobs(app.context, { evenLater: true })
      return (await jobsOf('backup'))[0] ?? assert.fail('there was no backup')
    },
    /** Its lines, without their times. */
    async linesOf({ id }: Pick<Job, 'id'>): Promise<string[]> {
      const lines = (await app.logOf(id)).split('\n')
      return lines.map((line) => line.replace(/^\S+ /, '').replaceAll(/ +/g, ' '))
    },
    snapshots: async () =>
      (await app.ask('GET', '/api/v1/snapshots')).json<{ items: { id: string }[] }>().items,
    async standing(): Promise<{ standing: string; lastError: { code: string; message: string } | null }> {
      const { items } = (await app.ask('GET', '/api/v1/overview')).json()
      return items[0]
    },
  }
}

export async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(20)
  }
}

/** The script that the guide shows below the heading. */
export async function scriptInGuide(heading: string): Promise<string> {
  const guide = await readFile(join(import.meta.dirname, '../../../docs/guide/hooks.md'), 'utf8')
  const [, below = ''] = guide.split(`### ${heading}\n`)
  return /```sh\n(.*?)```/s.exec(below)?.[1] ?? assert.fail(`The guide has no script “${heading}”.`)
}
