import { z } from 'zod'
import { runScript } from '../../lib/script.ts'
import { AppError } from '../../shared/errors.ts'
import { scriptText } from '../../shared/instance-settings.ts'
import { defineHook } from './hook.ts'

const config = z.strictObject({
  script: scriptText
    .refine((text) => text.trim() !== '', 'must not be empty')
    .meta({ title: 'Script', description: 'Run by sh, where the job runs', format: 'textarea' }),
})

/** A script of the user's own, by `sh`, near the database. */
export const script = defineHook({
  label: 'Script',
  config,
  async run({ script }, { facts }, job) {
    let lastWords = ''
    const onLine = (line: string) => {
      job.log('info', line)
      if (line.trim() !== '') lastWords = line.trim()
    }
    const { workDirectory, signal } = job
    const { exitCode, killedBy } = await runScript(script, { env: facts, onLine, workDirectory }, signal)
    if (exitCode === 0) return
    const how = killedBy === null ? `its exit code is ${exitCode}` : `it was killed by ${killedBy}`
    throw new AppError('hook_failed', lastWords === '' ? how : `${how}, its last words “${lastWords}”`)
  },
})
