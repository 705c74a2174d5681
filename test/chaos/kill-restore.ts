import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BackupReport, type Desk, jsonOf, openDesk } from '../e2e/cli.ts'
import type { DatabaseKind, Source } from '../e2e/databases.ts'
import { type Grounds, type Place, sftpAccess } from '../e2e/places.ts'
import type { SshdServer } from '../servers/sshd.ts'
import { startTcpProxy } from '../servers/tcp-proxy.ts'
import { killIfThere } from './kill-backup.ts'
import { type Bench, type Group, momentIn, needsOf, oneOf } from './suite.ts'

const modes = ['new', 'replace', 'existing'] as const
type Mode = (typeof modes)[number]

/** A snapshot of the source, and how long it takes to restore it, in milliseconds. */
interface Kept {
  place: Place
  key: string
  length: number
}

/**
 * `kill -9` of a restore at any moment. What has the target's name is what was there before, or all of the snapshot,
 * and never half of it. MySQL and MariaDB can neither rename a database nor undo its creation, so there the promise
 * is only that the next restore finds nothing in its way.
 */
export function killRestore({ sources, grounds }: Bench): Group[] {
  const kept = new Map<string, Promise<Kept>>()
  const snapshotOf = (source: Source, format: string): Promise<Kept> => {
    const which = `${source.kind} ${format}`
    const found = kept.get(which) ?? backUp(source, format, grounds)
    kept.set(which, found)
    return found
  }
  const kinds: { kind: DatabaseKind; format: string; modes: readonly Mode[] }[] = [
    { kind: 'postgresql', format: 'custom', modes },
    { kind: 'postgresql', format: 'plain', modes },
    { kind: 'mysql', format: '', modes: ['new', 'replace'] },
    { kind: 'sqlite', format: '', modes: ['new', 'replace'] },
  ]
  const halfWay = (['custom', 'plain'] as const).map((format) => ({
    name: `restore of postgresql (${format}) into an existing database: kill -9 when half of it has been read`,
    needs: [...needsOf.postgresql, ...needsOf.sftp],
    few: 1,
    async round() {
      const source = await sources.source('postgresql')
      await killHalfWay(source, format, await grounds.sshd(), await grounds.place('sftp'))
    },
  }))
  const atAnyMoment = kinds.flatMap(({ kind, format, modes }) =>
    modes.map((mode) => ({
      name: `restore of ${kind}${format && ` (${format})`}, mode ${mode}: kill -9 at any moment`,
      needs: needsOf[kind],
      few: mode === 'replace' && kind !== 'postgresql' ? 1 : 0,
      async round() {
        const source = await sources.source(kind)
        await tryToKill(source, await snapshotOf(source, format), mode)
      },
    })),
  )
  return [...halfWay, ...atAnyMoment]
}

/** The tool then sees the end of its input as if all had come. It must not commit what it has. */
async function killHalfWay(source: Source, format: string, server: SshdServer, place: Place): Promise<void> {
  await using _place = place
  await using desk = await openDesk()
  const target = `target_${randomBytes(4).toString('hex')}`
  const env = { ...source.env, ...place.env }
  const form = ['--format', format, '--compression', 'none', '--json']
  const taken = await desk.run(['backup', 'once', source.url(), '--to', place.url, ...form], { env })
  const [snapshot] = jsonOf<BackupReport & { snapshots: { storedBytes: number }[] }>(taken).snapshots
  assert.ok(snapshot, taken.stdout + taken.stderr)
  await source.createOther(target)
  try {
    const before = await source.fingerprint(target)
    await using proxy = await startTcpProxy({ to: server })
    proxy.trouble.bytesPerSecond = 10_000_000
    const { url } = sftpAccess(server, decodeURIComponent(new URL(place.url).pathname), proxy)
    const into = ['--into', source.url(target), '--mode', 'existing']
    const run = desk.start(['restore', 'once', snapshot.key, '--from', url, ...into], { env })
    const state = { isOver: false }
    void run.ended.finally(() => (state.isOver = true))
    // It is read once to be verified, and then again to be restored.
    while (proxy.passed.toClient < snapshot.storedBytes * 1.7 && !state.isOver) await sleep(5)
    proxy.trouble.stalled = true
    await sleep(300)
    run.kill('SIGKILL')
    const end = await run.ended
    assert.equal(end.killedBy, 'SIGKILL', `it was over too early: ${end.stdout}${end.stderr}`)
    assert.deepEqual(await desk.quiet(), [], 'processes were left')
    assert.deepEqual(await source.fingerprint(target), before, 'half of a restore was committed')
  } finally {
    await source.drop(target)
  }
}

async function tryToKill(source: Source, { place, key, length }: Kept, mode: Mode): Promise<void> {
  await using desk = await openDesk()
  const target = `target_${randomBytes(4).toString('hex')}`
  const namesBefore = await source.names()
  if (mode !== 'new') await source.createOther(target)
  const before = mode === 'new' ? [] : await source.fingerprint(target)
  const all = await source.fingerprint()
  const paths = ['--from', place.url, '--into', source.url(target)]
  const args = (asked: Mode) => [
    'restore',
    'once',
    key,
    ...paths,
    '--mode',
    asked,
    '--no-safety-snapshot',
    '--json',
  ]
  const environment = { env: { ...source.env, ...place.env } }

  const run = desk.start(args(mode), environment)
  // The first half of the time it starts and looks around.
  const moment = length / 3 + momentIn(length * 0.9)
  await Promise.race([run.ended, sleep(moment)])
  const victim = oneOf(['holdfast', 'holdfast', 'the tool', 'both'] as const)
  const tools = desk.processes().filter(({ pid }) => pid !== run.pid)
  if (victim !== 'the tool') run.kill('SIGKILL')
  if (victim !== 'holdfast') tools.forEach(({ pid }) => killIfThere(pid))
  const end = await run.ended
  const about = `${victim} killed after ${Math.round(moment)} of ${Math.round(length)} ms: ${end.exitCode} ${end.stdout}${end.stderr}`
  try {
    assert.deepEqual(await desk.quiet(), [], `processes were left: ${about}`)
    if (end.exitCode === 0)
      assert.deepEqual(await stateOf(source, target, mode), expected(before, all, mode), about)
    else if (source.kind !== 'mysql') await assertWhole(source, target, { before, all, mode, about })
    await assertNothingInTheWay(desk, source, target, { args, environment, all, mode, about })
    const left = (await source.names()).filter((name) => !namesBefore.includes(name) && name.includes(target))
    const halves = []
    for (const name of left) {
      if (name === fileOf(source, target)) continue
      // Killed between two renames, the former database waits under its other name for a person to decide.
      const lines = mode === 'replace' ? await source.fingerprint(nameOf(source, name)) : []
      if (JSON.stringify(lines) !== JSON.stringify(before)) halves.push(name)
    }
    assert.deepEqual(halves, [], `left beside the target: ${about}`)
  } finally {
    for (const name of await source.names())
      if (name.includes(target)) await source.drop(nameOf(source, name))
  }
}

interface Facts {
  before: string[]
  all: string[]
  mode: Mode
  about: string
}

/** What was there before, or all of the snapshot. Between two renames the former one has another name. */
async function assertWhole(
  source: Source,
  target: string,
  { before, all, mode, about }: Facts,
): Promise<void> {
  const state = await stateOf(source, target, mode)
  if (state === undefined) {
    if (mode === 'new') return
    const beside = (await source.names()).filter((name) => name.includes(target))
    const states = await Promise.all(beside.map((name) => source.fingerprint(nameOf(source, name))))
    const isThere = states.some((lines) => JSON.stringify(lines) === JSON.stringify(before))
    assert.ok(isThere, `what was there before is gone: ${about}`)
    return
  }
  const whole = [before, expected(before, all, mode)].map((lines) => JSON.stringify(lines))
  assert.ok(whole.includes(JSON.stringify(state)), `half of it is there: ${state.join('\n')}\n${about}`)
}

async function stateOf(source: Source, target: string, mode: Mode): Promise<string[] | undefined> {
  const isThere = (await source.names()).includes(fileOf(source, target))
  if (!isThere) return undefined
  const lines = await source.fingerprint(target)
  return mode === 'existing' ? lines.sort() : lines
}

function expected(before: string[], all: string[], mode: Mode): string[] {
  return mode === 'existing' ? [...before, ...all].sort() : all
}

async function assertNothingInTheWay(
  desk: Desk,
  source: Source,
  target: string,
  facts: Omit<Facts, 'before'> & {
    args: (mode: Mode) => string[]
    environment: { env: Record<string, string> }
  },
): Promise<void> {
  if (facts.mode === 'existing') return
  const again = await desk.run(facts.args('replace'), facts.environment)
  assert.equal(
    again.exitCode,
    0,
    `the next restore failed: ${again.stdout}${again.stderr}\nafter ${facts.about}`,
  )
  assert.deepEqual(await source.fingerprint(target), facts.all, facts.about)
  assert.deepEqual(await desk.temporaryFiles(), [], `temporary files were left: ${facts.about}`)
}

async function backUp(source: Source, format: string, grounds: Grounds): Promise<Kept> {
  const place = await grounds.place('local')
  await using desk = await openDesk()
  const environment = { env: { ...source.env, ...place.env } }
  const options = format ? ['--format', format] : []
  const taken = await desk.run(
    ['backup', 'once', source.url(), '--to', place.url, ...options, '--json'],
    environment,
  )
  const [snapshot] = jsonOf<BackupReport>(taken).snapshots
  assert.ok(snapshot, taken.stdout + taken.stderr)
  const startedAt = performance.now()
  const trial = source.url(`trial_${format}`)
  const args = ['restore', 'once', snapshot.key, '--from', place.url, '--into', trial, '--json']
  const restored = await desk.run(args, environment)
  assert.equal(restored.exitCode, 0, restored.stdout + restored.stderr)
  const length = performance.now() - startedAt
  assert.deepEqual(await source.fingerprint(`trial_${format}`), await source.fingerprint())
  await source.drop(`trial_${format}`)
  return { place, key: snapshot.key, length }
}

/** As it is called among the names of a server, which are files for SQLite. */
function fileOf({ kind }: Source, database: string): string {
  return kind === 'sqlite' ? `${database}.db` : database
}

function nameOf({ kind }: Source, file: string): string {
  return kind === 'sqlite' ? file.replace(/\.db$/, '') : file
}
