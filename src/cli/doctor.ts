import { Command } from 'commander'
import { engines } from '../engines/index.ts'
import { sevenzipPrograms, zstdProgram } from '../lib/programs.ts'
import { findTools, installHint, type FoundTool, type ToolNeed } from '../lib/tools.ts'
import { interruption } from './interruption.ts'
import { print, printJson, table } from './terminal.ts'

interface Part {
  /** What cannot be done without it. */
  purpose: string
  need: ToolNeed
  found: FoundTool[]
}

export const doctor = new Command('doctor')
  .description('Which programs were found, in which versions, and how to install what is missing')
  .option('--json', 'print the result as JSON')
  .action(async (options: { json?: boolean }) => {
    const parts = await examine(interruption())
    if (options.json) {
      printJson({
        node: process.versions.node,
        sqlite: process.versions.sqlite,
        tools: parts.map(({ purpose, need, found }) => ({
          name: need.name,
          purpose,
          found: found.map(({ path, version }) => ({ path, version })),
          ...(found.length === 0 && { install: need.install }),
        })),
      })
      return
    }
    const rows = parts.flatMap(({ purpose, need, found }) =>
      found.length > 0
        ? found.map(({ path, version }) => [need.name, version, path, purpose])
        : [[need.name, '-', 'missing', purpose]],
    )
    print(`Node ${process.versions.node} · SQLite ${process.versions.sqlite} (built in)`)
    print()
    print(table(['TOOL', 'VERSION', 'PATH', 'FOR'], rows))
    const hints = new Set(
      parts.filter(({ found }) => found.length === 0).map(({ need }) => installHint(need)),
    )
    if (hints.size > 0) {
      print()
      print('To install what is missing and wanted:')
      for (const hint of hints) print(`  ${hint}`)
    }
  })

async function examine(signal: AbortSignal): Promise<Part[]> {
  const wanted = [
    ...Object.values(engines).flatMap((engine) =>
      engine.tools.map((need) => ({ purpose: engine.label, need })),
    ),
    { purpose: 'compression with several threads', need: zstdProgram },
    ...sevenzipPrograms.map((need) => ({ purpose: 'archives of other 7-Zip versions', need })),
  ]
  return await Promise.all(
    wanted.map(async ({ purpose, need }) => ({ purpose, need, found: await findTools([need], signal) })),
  )
}
