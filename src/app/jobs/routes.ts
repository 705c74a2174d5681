import { z } from 'zod'
import { job, jobStates, logLine } from '../../shared/jobs.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { streamLog } from '../events/job-log.ts'
import { wantsEvents } from '../events/streams.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { timeRange } from '../time-range.ts'
import type { LogLine } from './job-log.ts'
import { cancel, jobOf, presentJob, presentJobs } from './jobs.ts'
import { jobKinds } from './kinds.ts'
import { retryJob } from './retry.ts'
import { listJobs, readLog } from './store.ts'

const tags = ['jobs']
const params = z.object({ id: z.string() })
const several = <T extends z.ZodType>(item: T) =>
  z.preprocess((given) => (typeof given === 'string' ? given.split(',') : given), z.array(item).optional())

const time = z.iso.datetime({ offset: true })

const LOG_PIECES = 200

export function jobRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/jobs',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Jobs, the newest first',
          querystring: pageQuery.extend({
            state: several(z.enum(jobStates)).meta({ description: 'One, or several with commas' }),
            kind: several(z.string()).meta({ description: 'One, or several with commas' }),
            parent: z.string().optional(),
            server: z.string().optional(),
            plan: z.string().optional(),
            database: z.string().optional(),
            snapshot: z.string().optional(),
            volume: z.string().optional(),
            from: time.optional().meta({ description: 'Ended then or later' }),
            to: time.optional().meta({ description: 'Ended before then' }),
          }),
          response: { 200: pageOf(job) },
        },
      },
      async ({ query: { limit, cursor, ...query }, own }) => {
        const filter = {
          states: query.state,
          kinds: query.kind,
          parentId: query.parent,
          serverId: query.server,
          planId: query.plan,
          database: query.database,
          snapshotId: query.snapshot,
          volumeId: query.volume,
          ended: timeRange(query),
        }
        const after = readCursor(cursor, 'number')
        const rows = await listJobs(own.store, own.organizationId, filter, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ createdAt, id }) => [createdAt, id])
        return { items: await presentJobs(own, items), nextCursor }
      },
    )
    app.get(
      '/api/v1/jobs/:id',
      { config: { requires: 'view' }, schema: { tags, summary: 'One job', params, response: { 200: job } } },
      async ({ params: { id }, own }) => await presentJob(own, await jobOf(own, own.organizationId, id)),
    )
    app.post(
      '/api/v1/jobs/:id/cancel',
      {
        config: { requires: 'run-backups', audit: 'job.cancel' },
        schema: {
          tags,
          summary: 'Stop a job in whatever state it is; the run of a plan with all its backups',
          params,
          response: { 200: job },
        },
      },
      async ({ params: { id }, own }) =>
        await presentJob(own, await cancel(own, jobKinds, own.organizationId, id)),
    )
    app.post(
      '/api/v1/jobs/:id/retry',
      {
        config: { requires: 'run-backups', audit: 'job.retry' },
        schema: {
          tags,
          summary: 'Do again, in another job, what a job that is over has not done',
          description:
            'If the same waits already, that job is the answer. Who may not order the like is refused; so is a kind of job that is not started by hand',
          params,
          response: { 202: job },
        },
      },
      async ({ params: { id }, own }, reply) => {
        const started = await retryJob(own, id)
        return await reply
          .code(202)
          .header('location', `/api/v1/jobs/${started.id}`)
          .send(await presentJob(own, started))
      },
    )
    app.get(
      '/api/v1/jobs/:id/log',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary:
            'What a job has said, as JSON piece by piece, as text with ?as=text, or as events while it runs',
          params,
          querystring: z.object({
            after: z.coerce
              .number()
              .int()
              .min(0)
              .default(0)
              .meta({ description: 'The `next` of the piece before' }),
            as: z.enum(['json', 'text']).default('json'),
          }),
          response: {
            200: z.object({
              lines: z.array(logLine),
              next: z.number().meta({ description: 'For `after`, to read on' }),
              isOver: z.boolean().meta({ description: 'Nothing will follow behind these lines' }),
            }),
          },
        },
      },
      async (request, reply) => {
        if (wantsEvents(request)) {
          await streamLog(request.own, request, reply, request.params.id)
          return reply
        }
        const { params, query } = request
        const { id } = params
        const { after, as } = query
        const row = await jobOf(request.own, request.own.organizationId, id)
        if (as === 'text') {
          return await reply
            .type('text/plain; charset=utf-8')
            .header('content-disposition', `attachment; filename="job-${row.id}.log"`)
            .serializer((text: unknown) => text as string)
            .send((await wholeLog(request.own, id)) as never)
        }
        const pieces = await readLog(request.own.store, id, after, LOG_PIECES)
        const isEnd = pieces.length < LOG_PIECES && row.finishedAt !== null
        return {
          lines: pieces.flatMap(({ lines }) => lines),
          next: pieces.at(-1)?.number ?? after,
          isOver: isEnd,
        }
      },
    )
  }
}

async function wholeLog({ store }: AppContext, id: string): Promise<string> {
  const lines: string[] = []
  for (let after = 0; ;) {
    const pieces = await readLog(store, id, after, LOG_PIECES)
    for (const piece of pieces) lines.push(...piece.lines.map(asText))
    const last = pieces.at(-1)
    if (!last || pieces.length < LOG_PIECES) return lines.join('')
    after = last.number
  }
}

function asText({ at, level, message, fields }: LogLine): string {
  return `${at} ${level.padEnd(7)} ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`
}
