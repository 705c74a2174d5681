import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BackupReport, type CliEnd, type Desk, jsonOf, openDesk } from '../e2e/cli.ts'
import { type Place, placeKinds } from '../e2e/places.ts'
import { anyForm } from './forms.ts'
import { momentIn, needsOf, type Bench, type Group } from './suite.ts'

/** A dump tool that answers for its version and then misbehaves, and what must be said of it. */
interface Fault {
  name: string
  /** Shell, with the real tool as $REAL. */
  does(): string
  code: string
  says?: (tool: string) => string[]
  /** It would go on for ever: the run is interrupted. */
  isEndless?: true
}

const misbehaving = (name: string) => `exec '${join(import.meta.dirname, '../misbehaving', name)}'`
const incomplete = 'dump_incomplete'

const asTheyAre: Omit<Fault, 'does'>[] = [
  {
    name: 'exits-1-after-the-last-byte',
    code: 'tool_failed',
    says: (tool) => [`${tool} failed with exit code 1: the last table could not be read`],
  },
  {
    name: 'closes-stdout-then-fails',
    code: 'tool_failed',
    says: (tool) => [`${tool} failed with exit code 3: connection lost at the very end`],
  },
  { name: 'dies-by-signal', code: 'tool_failed', says: (tool) => [`${tool} was killed by SIGKILL`] },
  {
    name: 'floods-stderr',
    code: 'tool_failed',
    says: (tool) => [`${tool} failed with exit code 2: and that was the reason`],
  },
  { name: 'exits-0-half-way', code: incomplete },
  { name: 'exits-0-with-nothing', code: incomplete },
  { name: 'warns-and-succeeds', code: incomplete },
  { name: 'hangs-silently', code: 'cancelled', isEndless: true },
  { name: 'ignores-sigterm', code: 'cancelled', isEndless: true },
]

const faults: Fault[] = [
  ...asTheyAre.map((fault) => ({ ...fault, does: () => misbehaving(fault.name) })),
  {
    name: 'writes the real dump without its end',
    // Two bytes, because the last line break of a script says nothing.
    does: () => `"$REAL" "$@" | head -c -${2 + randomInt(30_000)}`,
    code: incomplete,
  },
  {
    name: 'writes the whole real dump and exits 1',
    does: () => `"$REAL" "$@"; echo 'warning: no matter' >&2; echo 'the connection was lost' >&2; exit 1`,
    code: 'tool_failed',
    says: (tool) => [`${tool} failed with exit code 1: the connection was lost`],
  },
  {
    name: 'writes the whole real dump and dies',
    does: () => `"$REAL" "$@"; kill -9 $$`,
    code: 'tool_failed',
    says: (tool) => [`${tool} was killed by SIGKILL`],
  },
  {
    name: 'cannot be started any more',
    does: () => '',
    code: 'tool_missing',
    says: (tool) => [`${tool} could not be started`],
  },
]

/** With little time: one of each way to fail. The runner's own tests try all of them, without the command line. */
const fewFaults = /^exits-1|without its end|^dies|ignores-sigterm|cannot be started/

/** The real command line and a real server; only the dump tool is not what it seems. Nothing may be left anywhere. */
export function tools({ sources, grounds }: Bench): Group[] {
  return (['postgresql', 'mysql'] as const).flatMap((kind) =>
    faults.map((fault) => ({
      name: `${kind}: the tool ${fault.name}`,
      needs: [...needsOf[kind], ...placeKinds.flatMap((place) => needsOf[place])],
      few: kind === 'mysql' ? Number(fault.name.includes('whole')) : Number(fewFaults.test(fault.name)),
      async round() {
        const source = await sources.source(kind)
        await using desk = await openDesk()
        await using stack = new AsyncDisposableStack()
        const places: Place[] = []
        for (const place of placeKinds) places.push(stack.use(await grounds.place(place)))
        const fake = await fakeTool(desk, source.tool, fault)
        const form = anyForm()
        const format = kind === 'postgresql' && randomInt(2) === 0 ? ['--format', 'plain'] : []
        const run = desk.start(
          [
            'backup',
            'once',
            source.url(),
            ...places.flatMap(({ url }) => ['--to', url]),
            ...format,
            ...form.args,
            '--json',
          ],
          {
            env: Object.assign({}, source.env, form.env, ...places.map(({ env }) => env)),
            programs: [fake.folder],
          },
        )
        const end = fault.isEndless ? await interrupted(run, fake.used) : await run.ended
        const about = `${form.name} ${format.join(' ')}\n${end.stdout}${end.stderr}`
        assert.ok(existsSync(fake.used), `the fake tool was not used: ${about}`)
        assert.equal(end.exitCode, fault.isEndless ? 130 : 1, about)
        checkReport(end, fault, source.tool, about)
        for (const place of places)
          assert.deepEqual(await place.everything(), [], `left on the ${place.kind} volume: ${about}`)
        assert.deepEqual(await desk.quiet(), [], 'processes were left')
        assert.deepEqual(await desk.temporaryFiles(), [], 'temporary files were left')
      },
    })),
  )
}

function checkReport(end: CliEnd, fault: Fault, tool: string, about: string): void {
  const { failures } = jsonOf<BackupReport>(end)
  assert.equal(failures[0]?.error.code, fault.code, about)
  for (const words of fault.says?.(tool) ?? [])
    assert.ok(failures[0]?.error.message.includes(words), `“${words}” is missing: ${about}`)
}

async function fakeTool(desk: Desk, tool: string, fault: Fault): Promise<{ folder: string; used: string }> {
  const folder = join(desk.folder.path, 'programs')
  const used = join(desk.folder.path, 'used')
  await mkdir(folder)
  const path = join(folder, tool)
  // The last that can be started of it is what tells its version.
  const goodbye = fault.code === 'tool_missing' ? `chmod a-x '${path}'; : > '${used}'` : ':'
  const text = `#!/bin/sh
REAL=/usr/bin/${tool}
case "$*" in *--version*) ${goodbye}; exec "$REAL" "$@" ;; esac
: > '${used}'
${fault.does()}
`
  await writeFile(path, text)
  await chmod(path, 0o755)
  return { folder, used }
}

/** Interrupts the run a moment after the tool has started. It has ten seconds. */
async function interrupted(run: ReturnType<Desk['start']>, used: string): Promise<CliEnd> {
  const state = { isOver: false }
  const ended = run.ended.finally(() => (state.isOver = true))
  while (!existsSync(used) && !state.isOver) await sleep(5)
  await sleep(momentIn(300))
  run.kill('SIGTERM')
  const first = await Promise.race([ended, sleep(TIDY_WITHIN, undefined, { ref: false })])
  if (first) return first
  run.kill('SIGKILL')
  throw new Error(`It had not ended ${TIDY_WITHIN / 1000} s after SIGTERM: ${run.said()}`)
}

/** What an interrupted run has, to end its tool and to tidy up. Much more than it takes. */
const TIDY_WITHIN = 20_000
