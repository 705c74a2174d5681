import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BackupReport, type CliEnd, jsonOf, openDesk, type RunningCli } from '../e2e/cli.ts'
import { inFolder, type Place, s3Access, sftpAccess, snapshotsOn } from '../e2e/places.ts'
import { type HttpTrouble, startHttpProxy } from '../servers/http-proxy.ts'
import { smallDisk } from '../servers/small-disk.ts'
import { startSshd } from '../servers/sshd.ts'
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy.ts'
import { type Bench, type Group, momentIn, needsOf, oneOf } from './suite.ts'
import { anyForm } from './forms.ts'
import type { Source } from '../e2e/databases.ts'

/** What may become of a copy on a volume in trouble: stored after all, or failed with one of these codes. */
interface Outcome {
  mayStore: boolean
  codes: string[]
}

const unreachable = ['volume_unreachable']
const either = (codes: string[]): Outcome => ({ mayStore: true, codes })
const never = (codes: string[]): Outcome => ({ mayStore: false, codes })

/** Of a run with a dump of some megabytes; it is the same whatever the size. */
const MOST_MEMORY = 500 * 1_048_576

/**
 * Backups to two volumes at once, of which one is in trouble. Its copy is stored all the same, or fails in the volume's
 * own words; the other one is complete in any case.
 */
export function volumes({ sources, grounds }: Bench): Group[] {
  const s3Troubles: Record<string, { trouble: () => HttpTrouble; outcome: Outcome }> = {
    'resets an upload, once': {
      trouble: () => ({ when: isPut, cutUpload: momentIn(60_000), times: 1 }),
      outcome: either(unreachable),
    },
    'resets every upload': {
      trouble: () => ({ when: isPut, cutUpload: momentIn(400) }),
      outcome: never(unreachable),
    },
    'says 503 SlowDown now and then': {
      trouble: () => ({ when: () => momentIn(3) === 0, times: 4, answer: { status: 503, code: 'SlowDown' } }),
      outcome: either(unreachable),
    },
    'says 500 always': {
      trouble: () => ({ answer: { status: 500, code: 'InternalError' } }),
      outcome: never(unreachable),
    },
    'refuses in the middle': {
      trouble: () => ({ when: after(3 + momentIn(6)), answer: { status: 403, code: 'AccessDenied' } }),
      outcome: either(['volume_refused']),
    },
    'forgets the key in the middle': {
      trouble: () => ({ when: after(3 + momentIn(6)), answer: { status: 403, code: 'InvalidAccessKeyId' } }),
      outcome: either(['authentication_failed']),
    },
    'loses a reply': {
      trouble: () => ({ when: after(momentIn(12)), times: 1, loseReply: true }),
      outcome: either(unreachable),
    },
    'cuts a reply short': {
      trouble: () => ({ when: after(momentIn(12)), times: 1, truncateReply: momentIn(100) }),
      outcome: either([...unreachable, 'volume_refused', 'volume_corrupted']),
    },
    'has a full disk': {
      trouble: () => ({ when: isPut, answer: { status: 507, code: 'InsufficientStorage' } }),
      outcome: never(['volume_full']),
    },
  }
  const onS3 = Object.entries(s3Troubles).map(([name, { trouble, outcome }]) => ({
    name: `s3: a server that ${name}`,
    needs: [...needsOf.postgresql, ...needsOf.s3],
    few: /once|disk/.test(name) ? 1 : 0,
    async round() {
      const server = await grounds.ceph()
      await using direct = await grounds.place('s3')
      await using proxy = await startHttpProxy({ to: server.endpoint })
      proxy.trouble(trouble())
      const access = s3Access(server, server.bucket, prefixOf(direct), proxy.endpoint)
      await backUpInTrouble(
        await sources.source('postgresql'),
        direct,
        access,
        await grounds.place('local'),
        outcome,
      )
    },
  }))

  const sftpTroubles: Record<string, { make: (proxy: TcpProxy) => void; outcome: Outcome }> = {
    'is reset after some bytes': {
      make: (proxy) => (proxy.trouble.resetAfter = { toServer: momentIn(400_000) }),
      outcome: either(unreachable),
    },
    'is reset once': {
      make: (proxy) => void setTimeout(() => proxy.resetAll(), 500 + momentIn(1_500)),
      outcome: either(unreachable),
    },
    drips: { make: (proxy) => (proxy.trouble.bytesPerSecond = 700_000), outcome: either(unreachable) },
    'goes away in the middle': {
      make: (proxy) =>
        void setTimeout(() => void proxy.refuse().then(() => proxy.resetAll()), 500 + momentIn(1_500)),
      outcome: either(unreachable),
    },
  }
  const onSftp = Object.entries(sftpTroubles).map(([name, { make, outcome }]) => ({
    name: `sftp: a line that ${name}`,
    needs: [...needsOf.postgresql, ...needsOf.sftp],
    few: /reset after/.test(name) ? 1 : 0,
    async round() {
      const server = await grounds.sshd()
      await using direct = await grounds.place('sftp')
      await using proxy = await startTcpProxy({ to: server })
      make(proxy)
      const access = sftpAccess(server, decodeURIComponent(new URL(direct.url).pathname), proxy)
      await backUpInTrouble(
        await sources.source('postgresql'),
        direct,
        access,
        await grounds.place('local'),
        outcome,
      )
    },
  }))

  const fullDisk = (['local', 'sftp'] as const).map((kind) => ({
    name: `${kind}: a disk that is full`,
    needs: [...needsOf.postgresql, ...needsOf[kind], 'root' as const],
    few: kind === 'local' ? 1 : 0,
    async round() {
      await using disk = await smallDisk({ bytes: 262_144 + momentIn(1_000_000) })
      const path = join(disk.path, randomUUID())
      await mkdir(path)
      await chmod(path, 0o777)
      await using own = kind === 'sftp' ? await startSshd({ folder: disk.path }) : undefined
      const seen = await grounds.place('local')
      const direct = { ...seen, ...inFolder(path), url: path }
      const access = own ? sftpAccess(own, path, own) : { url: path, env: {} }
      const codes = kind === 'local' ? ['volume_full'] : ['volume_full', 'volume_refused', ...unreachable]
      await backUpInTrouble(
        await sources.source('postgresql'),
        direct,
        access,
        await grounds.place('local'),
        never(codes),
      )
    },
  }))

  const killed = {
    name: 'sftp: a server that is killed in the middle',
    needs: [...needsOf.postgresql, ...needsOf.sftp],
    few: 1,
    async round() {
      await using own = await startSshd()
      const path = join(own.folder, randomUUID())
      await mkdir(path)
      await chmod(path, 0o777)
      const direct = { ...(await grounds.place('local')), ...inFolder(path), url: path }
      const access = sftpAccess(own, path, own)
      await backUpInTrouble(
        await sources.source('postgresql'),
        direct,
        access,
        await grounds.place('local'),
        either(unreachable),
        {
          during: async () => {
            await sleep(600 + momentIn(1_200))
            await own.process.kill()
          },
          // Nobody can tidy up on a server that is gone; the next run does.
          mayLeave: true,
        },
      )
    },
  }

  const damaged = {
    name: 's3: a snapshot whose bytes arrive changed',
    needs: [...needsOf.postgresql, ...needsOf.s3],
    few: 1,
    async round() {
      const source = await sources.source('postgresql')
      const server = await grounds.ceph()
      await using desk = await openDesk()
      await using place = await grounds.place('s3')
      const form = anyForm()
      const env = { ...source.env, ...place.env, ...form.env }
      const taken = await desk.run(
        ['backup', 'once', source.url(), '--to', place.url, ...form.args, '--json'],
        { env },
      )
      const [snapshot] = jsonOf<BackupReport & { snapshots: { storedBytes: number }[] }>(taken).snapshots
      assert.ok(snapshot, taken.stdout + taken.stderr)
      await using proxy = await startHttpProxy({ to: server.endpoint })
      const corruptReply = momentIn(snapshot.storedBytes)
      const isObject = ({ method, path }: { method: string; path: string }) =>
        method === 'GET' && decodeURIComponent(path).split('?')[0]?.endsWith(snapshot.key) === true
      proxy.trouble({ when: isObject, corruptReply })
      const { url } = s3Access(server, server.bucket, prefixOf(place), proxy.endpoint)
      const target = `never_${randomUUID().slice(0, 8)}`
      for (const args of [
        ['verify', snapshot.key, '--on', url, '--json'],
        ['restore', 'once', snapshot.key, '--from', url, '--into', source.url(target), '--json'],
      ]) {
        const end = await desk.run(args, { env })
        // A range that was asked for only in part may not have the byte that is changed.
        if (end.exitCode === 0) continue
        const { error } = jsonOf<BackupReport>(end)
        assert.ok(
          [
            'checksum_mismatch',
            'decryption_failed',
            'decompression_failed',
            'volume_corrupted',
            'key_wrong',
            'manifest_invalid',
            'dump_incomplete',
            'tool_failed',
          ].includes(error?.code ?? ''),
          `${form.name}, byte ${corruptReply} of ${snapshot.storedBytes}: ${end.stdout}${end.stderr}`,
        )
      }
      const isThere = (await source.names()).includes(target)
      if (isThere)
        assert.deepEqual(await source.fingerprint(target), await source.fingerprint(), `byte ${corruptReply}`)
      await source.drop(target)
    },
  }
  return [...onS3, ...onSftp, ...fullDisk, killed, damaged]
}

async function backUpInTrouble(
  source: Source,
  direct: Place,
  access: { url: string; env: Record<string, string> },
  other: Place,
  outcome: Outcome,
  { during, mayLeave = false }: { during?: () => Promise<void>; mayLeave?: boolean } = {},
): Promise<void> {
  await using _other = other
  await using desk = await openDesk()
  const form = anyForm()
  const env = { ...source.env, ...access.env, ...form.env }
  const order = oneOf([
    [access.url, other.url],
    [other.url, access.url],
  ])
  const run = desk.start(
    ['backup', 'once', source.url(), ...order.flatMap((url) => ['--to', url]), ...form.args, '--json'],
    { env },
  )
  const memory = watchMemory(run)
  await Promise.all([run.ended, during?.()])
  const end = await run.ended
  const about = `${form.name}: ${end.exitCode} ${end.stdout}${end.stderr}`
  const report = jsonOf<BackupReport>(end)
  const [snapshot] = report.snapshots
  assert.ok(snapshot, `the other copy was lost, too: ${about}`)
  assert.deepEqual(await snapshotsOn(other), [snapshot.key], about)
  const troubled = snapshot.copies[order.indexOf(access.url)]
  if (troubled?.state === 'stored') {
    assert.ok(outcome.mayStore, `it was stored all the same: ${about}`)
    assert.equal(end.exitCode, 0, about)
    assert.deepEqual(await snapshotsOn(direct), [snapshot.key], about)
    await assertVerifies(direct, form.env, snapshot.key, about)
  } else {
    assert.equal(end.exitCode, 3, about)
    assert.ok(outcome.codes.includes(troubled?.error?.code ?? ''), `not the right words: ${about}`)
    if (!mayLeave) await assertOnlyNotes(direct, about)
  }
  await assertVerifies(other, form.env, snapshot.key, about)
  assert.deepEqual(await desk.quiet(), [], 'processes were left')
  assert.deepEqual(await desk.temporaryFiles(), [], 'temporary files were left')
  assert.ok((await memory) < MOST_MEMORY, `it took ${await memory} bytes of memory: ${about}`)
}

/** A volume that cannot be reached keeps what cannot be removed, with the note by which the next run finds it. */
async function assertOnlyNotes(place: Place, about: string): Promise<void> {
  const names = await place.everything()
  assert.deepEqual(
    names.filter((name) => name.endsWith('.manifest.json')),
    [],
    `it looks complete: ${about}`,
  )
  const isTidy = names.length === 0
  const isNoted = names.some((name) => name.startsWith('.holdfast/writing/'))
  assert.ok(isTidy || isNoted, `left without a note: ${names.join(', ')}\n${about}`)
}

async function assertVerifies(
  place: Place,
  env: Record<string, string>,
  key: string,
  about: string,
): Promise<void> {
  await using desk = await openDesk()
  const end = await desk.run(['verify', key, '--on', place.url], { env: { ...place.env, ...env } })
  assert.equal(end.exitCode, 0, `${key} does not verify: ${end.stdout}${end.stderr}\n${about}`)
}

/** The most memory that the process had, in bytes. */
async function watchMemory(run: RunningCli): Promise<number> {
  const state: { end?: CliEnd } = {}
  void run.ended.then((end) => (state.end = end))
  let most = 0
  while (!state.end) {
    try {
      const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${run.pid}/status`, 'utf8')) ?? []
      most = Math.max(most, Number(kilobytes) * 1024)
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
    await sleep(100)
  }
  return most
}

const isPut = ({ method }: { method: string }) => method === 'PUT'

/** From the request with that number on. */
function after(number: number): NonNullable<HttpTrouble['when']> {
  let seen = 0
  return () => seen++ >= number
}

function prefixOf({ url }: Place): string {
  return /^s3:\/\/[^/]+\/([^?]+)/.exec(url)?.[1] ?? ''
}
