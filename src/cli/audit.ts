import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { readConfiguration } from '../app/configuration.ts'
import { findOutput } from './decrypt-output.ts'
import { type AuditEntry, auditHead, type AuditVerification } from '../shared/audit.ts'
import { AppError, errors } from '../shared/errors.ts'
import { interruption } from './interruption.ts'
import { printTable } from './named-things.ts'
import { positiveInteger } from './parse.ts'
import { remote } from './remote.ts'
import { note, print, printJson } from './terminal.ts'

interface Filter {
  action?: string
  actor?: string
  target?: string
  outcome?: string
  address?: string
  from?: string
  to?: string
  search?: string
  instance?: boolean
}

const columns: Record<string, (entry: AuditEntry) => string> = {
  'NUMBER ': ({ number }) => String(number),
  AT: ({ at }) => at.slice(0, 19).replace('T', ' '),
  WHO: ({ actor }) => (actor.owner ? `${actor.owner.name} (${actor.name})` : actor.name),
  FROM: ({ address }) => address ?? '-',
  ACTION: ({ action }) => action,
  WHAT: ({ target }) => target?.name ?? target?.id ?? '-',
  OUTCOME: ({ outcome }) => outcome,
}

const verify = new Command('verify')
  .description('Check, on the machine of the app, that the audit log is what was recorded')
  .option('--expect <number:hash>', 'a head that was noted earlier must be in it, too', readHead)
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
It opens the app’s store itself, so it needs the environment and the user of the app, and no token. The app may run
meanwhile. Whoever can write to the store can forge all of the log, unless its head was noted elsewhere: note what this
prints, and give it to a later check with --expect.`,
  )
  .action(async ({ expect, json }: { expect?: { number: number; hash: string }; json?: boolean }) => {
    const { openExistingStore } = await import('../app/existing-store.ts')
    const { verifyChain } = await import('../app/audit/verify.ts')
    const { configuration, warnings } = readConfiguration(process.env)
    for (const warning of warnings) note(`warning: ${warning}`)
    await using store = await openExistingStore(configuration.store)
    const verified = await verifyChain(store, { expected: expect, signal: interruption() })
    if (json) {
      printJson(verified)
      if (verified.fault) process.exitCode = errors.audit_broken.exit
      return
    }
    if (verified.fault) throw broken(verified.fault)
    describe(verified)
  })

export const audit = new Command('audit')
  .description('The audit log: who has done what, from where')
  .addCommand(
    filtered(new Command('list'))
      .alias('ls')
      .description('List the entries, the newest first')
      .option('--limit <n>', 'so many (default: 50)', positiveInteger)
      .option('--json', 'print the result as JSON')
      .action(async ({ limit = 50, json, ...filter }: Filter & { limit?: number; json?: boolean }) => {
        const app = await remote()
        const items = await app.some(limit, 'GET /api/v1/audit', { query: queryOf(filter) })
        printTable(items, columns, { json, none: 'There are no such entries.' })
      }),
  )
  .addCommand(
    filtered(new Command('export'))
      .description('Write the entries to a file, or to standard output')
      .option('--output <file>', 'a new file; - is standard output', '-')
      .addOption(new Option('--as <form>').choices(['jsonl', 'csv']).default('jsonl'))
      .action(async ({ output, as, ...filter }: Filter & { output: string; as: string }) => {
        const signal = interruption()
        const file = output === '-' ? undefined : await findOutput(output, false)
        const app = await remote()
        const query = new URLSearchParams({ ...queryOf(filter), as })
        const { body } = await app.client.send('GET', `/api/v1/audit/export?${query.toString()}`, { signal })
        if (!body) throw new AppError('internal', 'The app has sent nothing.')
        const bytes = Readable.fromWeb(body)
        if (!file) return await pipeline(bytes, process.stdout, { end: false, signal })
        await file.write(bytes, signal)
        note(`Saved as ${output}.`)
      }),
  )
  .addCommand(verify)

function filtered(command: Command): Command {
  return command
    .option('--action <action>', 'an action, or its beginning: server')
    .option('--actor <who>', 'the id of a user or a token, or a part of its name')
    .option('--target <what>', 'the id of a thing, or a part of its name')
    .option('--outcome <outcome>', 'succeeded, failed, or the code of an error')
    .option('--address <address>', 'where the request came from')
    .option('--from <time>', 'then or later, as 2026-01-31T00:00:00Z')
    .option('--to <time>', 'before')
    .option('--search <text>', 'in any part of an entry')
    .option('--instance', 'of all organizations, and of the instance')
}

function queryOf({ instance, ...texts }: Filter): Record<string, string> {
  return { ...texts, ...(instance && { instance: 'true' }) }
}

function readHead(text: string): { number: number; hash: string } {
  const read = auditHead.safeParse(text)
  if (read.success) return read.data
  throw new AppError('invalid_input', `--expect ${read.error.issues[0]?.message ?? 'is not valid'}.`)
}

function describe({ entries, first, from, to, pruned, head }: AuditVerification): void {
  if (!head || first === null) return print('The audit log is intact. It has no entries.')
  print(`The audit log is intact: ${entries} entries, ${first} (${from}) to ${head.number} (${to}).`)
  if (pruned > 0) print(`Those up to ${pruned} have gone, as their time was over.`)
  print(`Its head, to be noted elsewhere: ${head.number}:${head.hash}`)
}

function broken({ number, reason }: { number: number; reason: string }): AppError {
  return new AppError('audit_broken', `The audit log does not fit at entry ${number}. ${reason}`, {
    hint: 'Compare with an export, or with an app backup from before.',
  })
}
