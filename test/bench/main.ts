/**
 * Measures Holdfast against the plain tools, on servers of its own, and prints a table. It asserts nothing.
 *
 *   node test/bench/main.ts [--only postgres-local,…] [--rounds 5] [--scale 1] [--json] [--list]
 *
 * Scale 1 is 1 GB of raw dump; 0.02 is enough to see that everything runs. Wants an idle machine.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { missingReason } from '../servers/needs.ts'
import { type Candidate, openBench } from './bench.ts'
import { compare, type Result } from './comparison.ts'
import { mariadb } from './mariadb.ts'
import { memory } from './memory.ts'
import { postgresql } from './postgresql.ts'
import { s3 } from './s3.ts'
import { sqlite } from './sqlite.ts'
import { line, machine, table } from './table.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const candidates: readonly Candidate[] = [...postgresql, ...s3, ...mariadb, ...sqlite, ...memory]
if (options.list) console.log(candidates.map(({ name }) => name).join('\n'))
else await main()

async function main(): Promise<void> {
  const rounds = positive(options.rounds, '--rounds')
  const scale = positive(options.scale, '--scale')
  const chosen = choose()
  const results: Result[] = []
  const skipped: { name: string; reason: string }[] = []
  const failed: { name: string; reason: string }[] = []
  {
    await using bench = await openBench(scale)
    for (const candidate of chosen) {
      const reason = reasonToSkip(candidate)
      if (reason !== undefined) {
        skipped.push({ name: candidate.name, reason })
        continue
      }
      console.error(`${new Date().toISOString().slice(11, 19)}  ${candidate.name}`)
      try {
        const result = await compare(await candidate.prepare(bench), Math.ceil(rounds))
        results.push(result)
        console.error(line(result)) // so that a long run which is ended early was not for nothing
      } catch (error) {
        // The others are still worth their time; the exit code tells.
        failed.push({ name: candidate.name, reason: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine: machine(), scale, results, skipped, failed }, undefined, 2))
  } else {
    console.log(`${Object.values(machine()).join(' · ')} · scale ${scale}\n\n${table(results)}`)
    for (const { name, reason } of skipped) console.log(`\nSkipped ${name}: ${reason}`)
    for (const { name, reason } of failed) console.log(`\nFAILED ${name}: ${reason}`)
  }
  if (failed.length > 0) process.exitCode = 1
}

function choose(): readonly Candidate[] {
  if (options.only === undefined) return candidates
  const wanted = options.only.split(',')
  const unknown = wanted.filter((name) => !candidates.some((candidate) => candidate.name === name))
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}. --list shows what there is.`)
  return candidates.filter(({ name }) => wanted.includes(name))
}

function reasonToSkip({ needs, programs = [] }: Candidate): string | undefined {
  for (const need of needs) {
    const reason = missingReason(need)
    if (reason !== undefined) return reason
  }
  const missing = programs.filter((program) => !isOnPath(program))
  return missing.length > 0 ? `not on PATH: ${missing.join(', ')}` : undefined
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function positive(text: string, name: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new Error(`${name} ${text} is not a positive number.`)
}
