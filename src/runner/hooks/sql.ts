import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { runSql } from '../run-sql.ts'
import { defineHook } from './hook.ts'

const config = z.strictObject({
  sql: z
    .string()
    .max(1_000_000)
    .refine((text) => text.trim() !== '', 'must not be empty')
    .meta({ title: 'SQL', description: 'Run in the database of the job', format: 'textarea' }),
})

/** SQL in the database that is backed up, or restored into, as the user of its server. */
export const sql = defineHook({
  label: 'SQL on the server',
  config,
  async run({ sql }, { target, name }, job) {
    if (!target) throw new AppError('unsupported', 'there is no one database that it could run in')
    const { engine, connection, database } = target()
    const server = await engine.inspect(connection, job.signal)
    await runSql({ engine, connection, database, server, sql, whose: `The SQL of “${name}”` }, job)
  },
})
