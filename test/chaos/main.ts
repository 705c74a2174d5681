/**
 * Breaks things on purpose, many times over:
 *
 *   node test/chaos/main.ts                             every suite, 100 rounds of each kind
 *   node test/chaos/main.ts kill --rounds 20 --only s3  one suite, of which the kinds whose name contains `s3`
 */
import { parseArgs } from 'node:util'
import { openGrounds } from '../e2e/places.ts'
import { openSources } from '../e2e/databases.ts'
import { missingReason } from '../servers/needs.ts'
import { runRounds } from './suite.ts'
import { suites } from './suites.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
    'at-once': { type: 'string', default: '2' },
  },
})
const unknown = positionals.filter((name) => !Object.hasOwn(suites, name))
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}. There are: ${Object.keys(suites).join(', ')}.`)
  process.exit(2)
}
const rounds = Number(values.rounds)
const atOnce = Number(values['at-once'])
let passed = 0
let failed = 0

await using grounds = openGrounds()
await using sources = openSources()
await using stack = new AsyncDisposableStack()
for (const [name, suite] of Object.entries(suites)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  for (const group of suite({ grounds, sources, stack })) {
    if (!group.name.includes(values.only)) continue
    const missing = group.needs.map(missingReason).find((reason) => reason !== undefined)
    if (missing !== undefined) {
      console.log(`${name}  ${group.name}: left out. ${missing}`)
      continue
    }
    const startedAt = performance.now()
    const result = await runRounds(group, Math.min(rounds, group.most ?? rounds), { atOnce })
    passed += result.passed
    failed += result.failures.length
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(
      `${name}  ${group.name}: ${result.passed} passed, ${result.failures.length} failed (${seconds} s)`,
    )
    for (const failure of result.failures.slice(0, 3)) console.error(shorten(failure))
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

/** What failed, and where in these files. */
function shorten(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  const place = /test\/(?:chaos|e2e)\/[\w.-]+:\d+/.exec(
    failure.stack?.slice(failure.message.length) ?? '',
  )?.[0]
  const cause = failure.cause instanceof Error ? `\n${failure.cause.message}` : ''
  return `  ${(failure.message + cause).slice(0, 3_000).replaceAll('\n', '\n  ')}\n  (${place ?? 'unknown place'})`
}
