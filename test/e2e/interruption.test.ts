import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from '../servers/needs.ts'
import { type BackupReport, type Desk, holdfastProgram, jsonOf, openDesk } from './cli.ts'
import { openSources, type Source } from './databases.ts'
import { openGrounds, type Place, snapshotsOn } from './places.ts'

const misbehaving = join(import.meta.dirname, '../misbehaving')
const grounds = openGrounds()
const sources = openSources({ rows: 100 })
after(async () => {
  await sources[Symbol.asyncDispose]()
  await grounds[Symbol.asyncDispose]()
})

let desk: Desk
let place: Place
beforeEach(async () => {
  ;[desk, place] = await Promise.all([openDesk(), grounds.place('local')])
})
afterEach(async () => {
  await desk?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

/** A folder with a tool that says when it has begun, and then is one of those that misbehave. */
async function toolThat(behaviour: string, { tool }: Source) {
  const programs = join(desk.folder.path, 'programs')
  const began = join(desk.folder.path, 'began')
  await mkdir(programs)
  await writeFile(
    join(programs, tool),
    `#!/bin/sh\ncase "$*" in *--version*) exec /usr/bin/${tool} "$@" ;; esac\n: > '${began}'\nexec '${join(misbehaving, behaviour)}'\n`,
  )
  await chmod(join(programs, tool), 0o755)
  return {
    programs,
    begun: async () => {
      while (!existsSync(began)) await sleep(10)
      await sleep(100) // a few bytes are on their way
    },
  }
}

async function nothingIsLeft(about: string): Promise<void> {
  assert.deepEqual(await desk.quiet(), [], `processes were left: ${about}`)
  assert.deepEqual(await desk.temporaryFiles(), [], `temporary files were left: ${about}`)
  assert.deepEqual(await place.everything(), [], `left on the volume: ${about}`)
}

/** A line for bash, in which "$@" is Holdfast with these arguments. */
async function inBash(line: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn('bash', ['-c', line, 'bash', holdfastProgram, ...args], {
    cwd: desk.folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: join(desk.folder.path, 'home'),
      TMPDIR: desk.temporary,
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/holdfast-tests'),
      ...env,
    },
  })
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  return { exitCode: child.exitCode, killedBy: child.signalCode, stdout, stderr }
}

describe('a backup that is interrupted', { skip: skipUnless('postgres15'), timeout: 120_000 }, () => {
  let source: Source
  before(async () => {
    source = await sources.source('postgresql')
  })
  const backup = (...more: string[]) => ['backup', 'once', source.url(), '--to', place.url, ...more]

  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal} ends in order`, async () => {
      const { programs, begun } = await toolThat('hangs-silently', source)
      const run = desk.start(backup(), { env: source.env, programs: [programs] })
      await begun()
      assert.notDeepEqual(await place.everything(), [])
      run.kill(signal)
      const end = await run.ended
      assert.equal(end.exitCode, 130, `${end.killedBy} ${end.stderr}`)
      assert.equal(
        end.stderr,
        `${signal}: stopping, and removing what was begun. Again to end at once.\nholdfast: shop: Interrupted by ${signal}.\n`,
      )
      await nothingIsLeft(end.stderr)
    })
  }

  it('by Ctrl-C, which reaches the tool as well, has not failed because of the tool', async () => {
    const { programs, begun } = await toolThat('hangs-silently', source)
    const run = desk.start(backup('--json'), { env: source.env, programs: [programs] })
    await begun()
    for (const { pid } of desk.processes()) process.kill(pid, 'SIGINT')
    const end = await run.ended
    assert.deepEqual(
      jsonOf<BackupReport>(end).failures.map(({ error }) => error.code),
      ['cancelled'],
    )
    assert.equal(end.exitCode, 130)
    await nothingIsLeft(end.stderr)
  })

  it('a second time ends at once, and the next run removes what it left', async () => {
    const { programs, begun } = await toolThat('ignores-sigterm', source)
    const run = desk.start(backup(), { env: source.env, programs: [programs] })
    await begun()
    run.kill('SIGINT')
    while (!run.said().includes('SIGINT')) await sleep(10)
    const askedAt = performance.now()
    run.kill('SIGHUP')
    const end = await run.ended
    assert.equal(end.exitCode, 128 + constants.signals.SIGHUP, end.stderr)
    assert.ok(
      performance.now() - askedAt < 4_000,
      'it waited for the tool, which is killed after five seconds',
    )
    assert.deepEqual(await desk.quiet(), [], 'processes were left')

    const again = await desk.run(backup(), { env: source.env })
    assert.equal(again.exitCode, 0, again.stderr)
    assert.equal((await snapshotsOn(place)).length, 1)
  })

  const noTerminal = existsSync('/usr/bin/script') ? false : 'script (bsdutils) is missing.'
  it('because its terminal is gone ends in order', { skip: noTerminal }, async () => {
    const { programs, begun } = await toolThat('hangs-silently', source)
    const code = join(desk.folder.path, 'exit-code')
    // The first shell ends with the terminal, and that is a hang-up for all that it has started. The second stays.
    const command = `"$PROGRAM" ${backup('-v').join(' ')}`
    const within = `sh -c 'trap : HUP; ${command}; echo $? > "$CODE"'; exit`
    const terminal = spawn('/usr/bin/script', ['--quiet', '--command', within, '/dev/null'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {
        PROGRAM: holdfastProgram,
        CODE: code,
        PATH: `${programs}:${process.env['PATH']}`,
        HOME: join(desk.folder.path, 'home'),
        TMPDIR: desk.temporary,
        SHELL: '/bin/bash',
        ...source.env,
      },
    })
    await begun()
    terminal.kill('SIGKILL')
    await once(terminal, 'close')
    await nothingIsLeft('the terminal was closed')
    assert.equal(await readFile(code, 'utf8'), '130\n')
  })
})

describe('a reader that is gone', { timeout: 120_000 }, () => {
  let source: Source
  before(async () => {
    source = await sources.source('sqlite')
  })
  const backup = (...more: string[]) => ['backup', 'once', source.url(), '--to', place.url, ...more]
  /** Gone for sure before Node has started. */
  const unread = (args: string[]) => inBash('"$@" | head -0; exit "${PIPESTATUS[0]}"', args)

  for (const [what, more] of [
    ['a listing', []],
    ['a listing as JSON', ['--json']],
  ] as const) {
    it(`ends ${what} with 141, as it ends other programs`, async () => {
      await desk.run(backup())
      const end = await unread(['snapshots', 'ls', '--on', place.url, ...more])
      assert.deepEqual([end.exitCode, end.stderr], [141, ''])
    })
  }

  it('ends with 141 also what says something about itself', async () => {
    for (const args of [['--help'], ['--version'], ['doctor']]) {
      const end = await unread(args)
      assert.equal(end.exitCode, 141, `${args.join(' ')}: ${end.stderr}`)
    }
  })

  for (const more of [[], ['--json']]) {
    it(`makes no half of a backup ${more.join(' ')}`, async () => {
      const end = await unread(backup(...more))
      assert.deepEqual([end.exitCode, end.stderr], [141, ''])
      assert.equal((await snapshotsOn(place)).length, 1)
      assert.deepEqual(await desk.quiet(), [])
      assert.deepEqual(await desk.temporaryFiles(), [])
    })
  }

  it('does not make a restore or a verification look done', async () => {
    const [taken] = jsonOf<BackupReport>(await desk.run(backup('--json'))).snapshots
    assert.ok(taken)
    const target = join(desk.folder.path, 'restored.db')
    const restored = await unread([
      'restore',
      'once',
      taken.id,
      '--from',
      place.url,
      '--into',
      `sqlite:${target}`,
    ])
    assert.equal(restored.exitCode, 141, restored.stderr)
    const verified = await unread(['verify', taken.id, '--on', place.url])
    assert.equal(verified.exitCode, 141, verified.stderr)
  })

  it('ends a decryption to standard output with 141', async () => {
    const env = { BACKUP_ENCRYPTION_KEY: 'a key of this test, and of nothing else' }
    const taken = await desk.run(backup('--encryption', '7z', '--json'), { env })
    const [snapshot] = jsonOf<BackupReport>(taken).snapshots
    assert.ok(snapshot, taken.stderr)
    const end = await inBash(
      '"$@" | head -0; exit "${PIPESTATUS[0]}"',
      ['decrypt', join(place.url, snapshot.key), '-o', '-'],
      env,
    )
    assert.deepEqual([end.exitCode, end.stderr], [141, ''])
  })

  it('of standard error changes nothing', async () => {
    const end = await inBash(
      '"$@" 2> >(exec true)',
      backup(
        '-v',
        '--database',
        'missing.db',
        '--database',
        decodeURIComponent(source.url().slice('sqlite:'.length)),
        '--json',
      ),
    )
    const { snapshots, failures } = jsonOf<BackupReport>({ ...end, killedBy: null })
    assert.deepEqual([snapshots.length, failures.length], [1, 1])
    assert.equal(end.exitCode, 4)
  })
})
