import { Command } from 'commander'
import { named, type Named, type Query, remote } from './remote.ts'
import { note, print, printJson, table } from './terminal.ts'

/** What people give names to: servers, volumes, plans. */
export interface Things<T> {
  /** `/api/v1/servers` */
  path: string
  one: string
  many: string
  /** Heads of columns, those of numbers with a space behind them, and what stands below. */
  columns: Record<string, (thing: T) => string>
}

export function listOf<T extends Named>({ path, many, columns }: Things<T>): Command {
  return new Command('ls')
    .description(`List the ${many}`)
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const app = await remote()
      printTable(await app.all<T>(path), columns, { json, none: `There are no ${many} yet.` })
    })
}

export function printTable<T>(
  items: readonly T[],
  columns: Record<string, (thing: T) => string>,
  { json, none }: { json: boolean | undefined; none: string },
): void {
  if (json) return printJson({ items })
  if (items.length === 0) return note(none)
  const rows = items.map((item) => Object.values(columns).map((cell) => cell(item)))
  print(table(Object.keys(columns), rows))
}

export function showOf<T extends Named>({ path, one }: Things<T>): Command {
  return new Command('show')
    .description(`Show everything about a ${one}, as JSON`)
    .argument('<name>', 'its name or id')
    .option('--json', 'as it is anyway')
    .action(async (name: string) => {
      const app = await remote()
      const { id } = await named<T>(app, path, one, name)
      printJson(await app.get(`${path}/${id}`))
    })
}

/** Options that say what is to become of what depends on it: `--copies forget`. */
export function removalOf<T extends Named>(
  { path, one }: Things<T>,
  options: { flags: string; description: string }[] = [],
): Command {
  const command = new Command('rm')
    .description(`Delete a ${one}; says what would be lost, and needs to be told`)
    .argument('<name>', 'its name or id')
    .option('--json', 'print the result as JSON')
  for (const { flags, description } of options) command.option(flags, description)
  return command.action(async (name: string, { json, ...query }: Query) => {
    const app = await remote()
    const { id, name: found } = await named<T>(app, path, one, name)
    const answer = await app.remove<object | undefined>(`${path}/${id}`, query)
    if (json) printJson(answer ?? { deleted: id })
    else print(`Deleted ${one} “${found}”.`)
  })
}

export function localTime(instant: string | null | undefined): string {
  return instant ? instant.slice(0, 16).replace('T', ' ') : '-'
}
