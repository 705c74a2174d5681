import { Command } from 'commander'
import { engines } from '../engines/index.ts'
import { sevenzipPrograms, zstdProgram } from '../lib/programs.ts'
import { findTools, installHint, type FoundTool, type ToolNeed } from '../lib/tools.ts'
import { interruption } from './interruption.ts'
import { print, printJson, table } from './terminal.ts'

interface Part {
  /** What cannot be done without it. */
  purpose: string
  /** Any one of them will do. */
  needs: readonly ToolNeed[]
  found: FoundTool[]
}

export const doctor = new Command('doctor')
  .description('Which programs were found, in which versions, and how to install what is missing')
  .option('--json', 'print the result as JSON')
  .action(async (options: { json?: boolean }) => {
    const parts = await examine(interruption())
    if (options.json) printJson(reportJson(parts))
    else describe(parts)
  })

async function examine(signal: AbortSignal): Promise<Part[]> {
  const wanted: Omit<Part, 'found'>[] = [
    ...Object.values(engines).flatMap((engine) =>
      engine.tools.map((need) => ({ purpose: engine.label, needs: [need] })),
    ),
    { purpose: 'compression with several threads', needs: [zstdProgram] },
    { purpose: 'reading 7z archives that others made', needs: sevenzipPrograms },
  ]
  return await Promise.all(
    wanted.map(async (part) => ({ ...part, found: await findTools(part.needs, signal) })),
  )
}

function describe(parts: readonly Part[]): void {
  print(`Node ${process.versions.node} · SQLite ${process.versions.sqlite} (built in)\n`)
  const rows = parts.flatMap(({ purpose, needs, found }) =>
    found.length > 0
      ? found.map(({ name, path, version }) => [name, version, path, purpose])
      : [[needs.map(({ name }) => name).join(' or '), '-', 'missing', purpose]],
  )
  print(table(['TOOL', 'VERSION', 'PATH', 'FOR'], rows))
  const missing = parts.filter(({ found }) => found.length === 0)
  if (missing.length === 0) return
  print('\nTo install what is missing and wanted:')
  for (const hint of new Set(missing.flatMap(({ needs }) => needs.map(installHint)))) print(`  ${hint}`)
}

function reportJson(parts: readonly Part[]): Record<string, unknown> {
  return {
    node: process.versions.node,
    sqlite: process.versions.sqlite,
    tools: parts.map(({ purpose, needs, found }) => ({
      names: needs.map(({ name }) => name),
      purpose,
      found,
      ...(found.length === 0 && { install: needs.map(({ install }) => install) }),
    })),
  }
}
