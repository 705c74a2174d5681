import { Command } from 'commander'
import { interruption } from './interruption.ts'
import { type ListOfNamed, named, type Named, type Remote, remote } from './remote.ts'
import { note, print, printJson, table } from './terminal.ts'

/** What people give names to: servers, volumes, plans. */
export interface Things<T> {
  /** What lists them; each has an address of its own below. */
  list: ListOfNamed
  one: string
  many: string
  /** Heads of columns, those of numbers with a space behind them, and what stands below. */
  columns: Record<string, (thing: T) => string>
}

export function listOf<T extends Named>({ list, many, columns }: Things<T>): Command {
  return new Command('ls')
    .description(`List the ${many}`)
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const app = await remote()
      const items = (await app.all(list)) as unknown as T[]
      printTable(items, columns, { json, none: `There are no ${many} yet.` })
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

export function showOf<T extends Named>({ list, one }: Things<T>): Command {
  return new Command('show')
    .description(`Show everything about a ${one}, as JSON`)
    .argument('<name>', 'its name or id')
    .option('--json', 'as it is anyway')
    .action(async (name: string) => {
      const app = await remote()
      const { id } = await named(app, list, one, name)
      printJson((await app.client.call('GET', `${pathOf(list)}/${id}`, { signal: interruption() })).body)
    })
}

/**
 * Options that say what is to become of what depends on it: `--copies forget`; what of the answer is to be told beside that
 * it was deleted; and what before it is tried.
 */
export function removalOf<T extends Named>(
  { list, one }: Things<T>,
  options: { flags: string; description: string }[] = [],
  warningsIn: (answer: object | null) => string[] = () => [],
  lossesOf: (app: Remote, id: string, query: Record<string, string>) => Promise<string[]> = async () => [],
): Command {
  const command = new Command('rm')
    .description(`Delete a ${one}; says what would be lost, and needs to be told`)
    .argument('<name>', 'its name or id')
    .option('--json', 'print the result as JSON')
  for (const { flags, description } of options) command.option(flags, description)
  return command.action(
    async (name: string, { json, ...query }: { json?: boolean } & Record<string, string>) => {
      const app = await remote()
      const { id, name: found } = await named(app, list, one, name)
      if (!json) for (const line of await lossesOf(app, id, query)) print(line)
      const { body: answer } = await app.client.call<object | null>('DELETE', `${pathOf(list)}/${id}`, {
        query,
        signal: interruption(),
      })
      if (json) return printJson(answer ?? { deleted: id })
      print(`Deleted ${one} “${found}”.`)
      for (const warning of warningsIn(answer)) note(`warning: ${warning}`)
    },
  )
}

/** `/api/v1/servers` */
function pathOf(list: ListOfNamed): string {
  return list.slice('GET '.length)
}

export function localTime(instant: string | null | undefined): string {
  return instant ? instant.slice(0, 16).replace('T', ' ') : '-'
}
