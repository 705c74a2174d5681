import assert from 'node:assert/strict'
import { type BackupReport, type CliEnd, type Desk, jsonOf, openDesk, type RunningCli } from '../e2e/cli.ts'
import type { Source } from '../e2e/databases.ts'
import {
  atChange,
  type Grounds,
  type Place,
  type PlaceKind,
  placeKinds,
  s3Access,
  snapshotsOn,
} from '../e2e/places.ts'
import { startHttpProxy } from '../servers/http-proxy.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { anyForm, type Form } from './forms.ts'
import { momentIn, needsOf, oneOf, type Bench, type Group } from './suite.ts'

/** Who is killed: the whole of Holdfast, only its tools, or both at the same moment. */
const victims = ['holdfast', 'the tool', 'both'] as const
type Victim = (typeof victims)[number]

/**
 * `kill -9` of a backup at any moment. Right after it, nothing looks complete that is not; after the next run, nothing
 * is left of the killed one.
 */
export function killBackup({ sources, grounds }: Bench): Group[] {
  const atAnyMoment = placeKinds.flatMap((kind) =>
    victims.map((victim) => ({
      name: `backup to ${kind}: kill -9 of ${victim} at any moment`,
      needs: [...needsOf.postgresql, ...needsOf[kind]],
      few: victim === 'holdfast' && kind === 's3' ? 1 : 0,
      async round() {
        const source = await sources.source(oneOf(['postgresql', 'sqlite'] as const))
        await using place = await grounds.place(kind)
        await tryToKill(source, place, victim, async (run, kill) => {
          const length = await usualLength(source, kind, grounds)
          await Promise.race([run.ended, sleep(momentIn(length * 1.1))])
          kill()
        })
      },
    })),
  )
  const atItsChanges = (['local', 'sftp'] as const).map((kind) => ({
    name: `backup to ${kind}: kill -9 when something changes on the volume`,
    needs: [...needsOf.postgresql, ...needsOf[kind]],
    few: kind === 'local' ? 1 : 0,
    async round(n: number) {
      const source = await sources.source('postgresql')
      await using place = await grounds.place(kind)
      const folder = kind === 'local' ? place.url : decodeURIComponent(new URL(place.url).pathname)
      await tryToKill(source, place, 'holdfast', async (run, kill) => {
        using _watch = atChange(folder, 1 + (n % CHANGES), kill)
        await run.ended
      })
    },
  }))
  const atItsRequests = {
    name: 'backup to s3: kill -9 at a request',
    needs: [...needsOf.postgresql, ...needsOf.s3],
    few: 0,
    async round(n: number) {
      const source = await sources.source('postgresql')
      const server = await grounds.ceph()
      await using direct = await grounds.place('s3')
      await using proxy = await startHttpProxy({ to: server.endpoint })
      const prefix = /^s3:\/\/[^/]+\/([^?]+)/.exec(direct.url)?.[1] ?? ''
      const place = { ...direct, ...s3Access(server, server.bucket, prefix, proxy.endpoint) }
      await tryToKill(source, place, 'holdfast', async (run, kill) => {
        // Half of the time the server never sees the request that is under way.
        proxy.trouble({
          when: (request) => proxy.requests.indexOf(request) === n % REQUESTS && (kill(), n % 2 === 0),
          answer: { status: 500, code: 'InternalError' },
        })
        await run.ended
      })
    },
  }
  return [...atAnyMoment, ...atItsChanges, atItsRequests]
}

/** A run has some more than that, so that each of them comes its turn, and some runs come to their end. */
const CHANGES = 40
const REQUESTS = 30

async function tryToKill(
  source: Source,
  place: Place,
  victim: Victim,
  attack: (run: RunningCli, kill: () => void) => Promise<void>,
): Promise<void> {
  await using desk = await openDesk()
  const form = anyForm()
  const startedAt = performance.now()
  let killedAfter: number | undefined
  const run = desk.start(backupArguments(source, place, form), environment(source, place, form))
  await attack(run, () => {
    killedAfter = performance.now() - startedAt
    const tools = desk.processes().filter(({ pid }) => pid !== run.pid)
    if (victim !== 'the tool') run.kill('SIGKILL')
    if (victim !== 'holdfast') tools.forEach(({ pid }) => killIfThere(pid))
  })
  const end = await run.ended
  const about = `${source.kind}, ${form.name}, killed after ${Math.round(killedAfter ?? -1)} ms: ${end.exitCode} ${end.stdout}${end.stderr}`
  assert.deepEqual(await desk.quiet(), [], `processes were left: ${about}`)

  const before = await completeOnes(place)
  if (end.exitCode === 0) assert.equal(before.length, 1, `success, but no snapshot: ${about}`)
  for (const key of before) await assertVerifies(desk, key, place, form, about)
  if (victim === 'the tool' && end.exitCode !== 0) {
    assert.deepEqual(await place.everything(), [], `left by a failed run: ${about}`)
    assert.deepEqual(await desk.temporaryFiles(), [], `left by a failed run: ${about}`)
  }

  const next = await desk.run(backupArguments(source, place, form), environment(source, place, form))
  assert.equal(next.exitCode, 0, `the next run failed: ${next.stdout}${next.stderr}\nafter ${about}`)
  const [taken] = jsonOf<BackupReport>(next).snapshots
  assert.ok(taken)
  const after = await snapshotsOn(place)
  assert.deepEqual(after.sort(), [...before, taken.key].sort(), `what is complete has changed: ${about}`)
  await assertVerifies(desk, taken.key, place, form, about)
  assert.deepEqual(await desk.temporaryFiles(), [], `temporary files were left: ${about}`)
}

/** The keys of which a manifest says that they are complete. */
async function completeOnes(place: Place): Promise<string[]> {
  return (await place.everything())
    .filter((name) => name.endsWith('.manifest.json') && !name.startsWith('.holdfast/'))
    .map((name) => name.slice(0, -'.manifest.json'.length))
}

async function assertVerifies(
  desk: Desk,
  key: string,
  place: Place,
  form: Form,
  about: string,
): Promise<void> {
  const env = { ...place.env, ...form.env }
  const verified = await desk.run(['verify', key, '--on', place.url, '--json'], { env })
  assert.equal(verified.exitCode, 0, `${key} does not verify: ${verified.stdout}${verified.stderr}\n${about}`)
}

/** All under one name, so that runs of the same second meet the leftovers of their own key, too. */
function backupArguments(source: Source, place: Place, form: Form): string[] {
  return ['backup', 'once', source.url(), '--to', place.url, ...form.args, '--name', '{database}', '--json']
}

function environment(source: Source, place: Place, form: Form): { env: Record<string, string> } {
  return { env: { ...source.env, ...place.env, ...form.env } }
}

const lengths = new Map<string, Promise<number>>()

/** How long a run takes that nobody disturbs, in milliseconds; measured once. */
async function usualLength(source: Source, kind: PlaceKind, grounds: Grounds): Promise<number> {
  const which = `${source.kind} to ${kind}`
  const length = lengths.get(which) ?? measure(source, kind, grounds)
  lengths.set(which, length)
  return await length
}

async function measure(source: Source, kind: PlaceKind, grounds: Grounds): Promise<number> {
  await using desk = await openDesk()
  await using place = await grounds.place(kind)
  const form: Form = { name: 'measured', args: [], env: {} }
  const startedAt = performance.now()
  const end: CliEnd = await desk.run(backupArguments(source, place, form), environment(source, place, form))
  assert.equal(end.exitCode, 0, end.stdout + end.stderr)
  return performance.now() - startedAt
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
