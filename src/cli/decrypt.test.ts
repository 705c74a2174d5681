import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { holdfastProgram, jsonOf, openDesk, type Desk, type ReportedError } from '../../test/e2e/cli.ts'
import { skipUnless } from '../../test/servers/needs.ts'

const PASSWORD = 'open sesame'
const env = { BACKUP_ENCRYPTION_KEY: PASSWORD }
/** More than any pipe holds, so that whoever writes it waits for a reader. */
const CONTENT = randomBytes(4_000_000)

describe('decrypt, of a foreign 7z archive', { skip: skipUnless('7zip') }, () => {
  let desk: Desk
  let archive: string
  const at = (name: string) => join(desk.folder.path, name)
  before(async () => {
    desk = await openDesk()
    archive = at('app.sql.7z')
    await writeFile(at('app.sql'), CONTENT)
    execFileSync('/usr/bin/7zz', ['a', '-mx0', `-p${PASSWORD}`, archive, at('app.sql')], { stdio: 'ignore' })
    await writeFile(at('app.sql'), 'precious')
  })
  after(() => desk[Symbol.asyncDispose]())

  /** By way of a shell, for what only a shell can arrange. */
  async function inShell(script: string): Promise<{ exitCode: number | null; stderr: string }> {
    const child = spawn('/bin/bash', ['-c', script, 'bash', holdfastProgram, archive], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], TMPDIR: desk.temporary, ...env },
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    await once(child, 'close')
    return { exitCode: child.exitCode, stderr }
  }

  /** Nothing but the archive and what was there before. */
  async function nothingIsLeft(): Promise<void> {
    assert.deepEqual(await desk.quiet(5_000), [])
    assert.deepEqual((await readdir(desk.folder.path)).sort(), ['app.sql', 'app.sql.7z', 'home', 'tmp'])
    assert.equal(await readFile(at('app.sql'), 'utf8'), 'precious')
  }

  it('ends when the output exists already, and leaves it as it is', async () => {
    const { exitCode, stderr } = await desk.run(['decrypt', archive], { env })
    assert.match(stderr, /app\.sql exists already/)
    assert.equal(exitCode, 1)
    await nothingIsLeft()
  })

  it('ends when the output cannot be made', async () => {
    const { exitCode, stderr } = await desk.run(['decrypt', archive, '-o', at('nowhere/app.sql')], { env })
    assert.match(stderr, /nowhere\/app\.sql cannot be written/)
    assert.match(stderr, /hint: Make the folder \S+nowhere first/)
    assert.equal(exitCode, 2)
    await nothingIsLeft()
  })

  it('leaves no half output when it can be written only half', async () => {
    const { exitCode, stderr } = await inShell(`ulimit -f 1000; "$1" decrypt "$2" -o "$2.out"`)
    assert.match(stderr, /app\.sql\.7z\.out has no room for all of it: EFBIG/)
    assert.equal(exitCode, 1)
    await nothingIsLeft()
  })

  it('names the output after what is inside, and tells of it as JSON', async () => {
    await mkdir(at('box'))
    const other = at('box/monday.7z')
    await writeFile(other, await readFile(archive))
    const path = at('box/app.sql')
    const end = await desk.run(['decrypt', other, '--json'], { env })
    assert.deepEqual(jsonOf(end), { name: 'app.sql', path, bytes: CONTENT.length })
    assert.equal(end.stderr, '')
    assert.ok((await readFile(path)).equals(CONTENT))
    await writeFile(path, 'precious')
    const named = at('box/named.sql')
    const again = await desk.run(['decrypt', other, '--json', '-o', named], { env })
    assert.deepEqual(jsonOf(again), { name: 'app.sql', path: named, bytes: CONTENT.length })
    assert.equal(await readFile(path, 'utf8'), 'precious')
    await rm(at('box'), { recursive: true })
    await nothingIsLeft()
  })

  it('reports what failed as JSON, too, and does not mix JSON with the content', async () => {
    const there = await desk.run(['decrypt', archive, '--json'], { env })
    assert.equal(jsonOf<{ error: ReportedError }>(there).error.code, 'object_exists')
    const mixed = await desk.run(['decrypt', archive, '--json', '-o', '-'], { env })
    assert.equal(jsonOf<{ error: ReportedError }>(mixed).error.code, 'invalid_input')
    assert.equal(mixed.exitCode, 2)
    await nothingIsLeft()
  })

  it('writes into a pipe as it is', async () => {
    await mkdir(at('box'))
    execFileSync('mkfifo', [at('box/pipe')])
    const { exitCode, stderr } = await inShell(
      `cd "\${2%/*}/box"; timeout 60 cat pipe >got & "$1" decrypt "$2" -o pipe --force && wait`,
    )
    assert.equal(exitCode, 0, stderr)
    assert.ok((await readFile(at('box/got'))).equals(CONTENT))
    assert.ok((await lstat(at('box/pipe'))).isFIFO())
    assert.deepEqual((await readdir(at('box'))).sort(), ['got', 'pipe'])
    await rm(at('box'), { recursive: true })
    await nothingIsLeft()
  })

  it('can be stopped while nobody reads the pipe', async () => {
    await mkdir(at('box'))
    execFileSync('mkfifo', [at('box/pipe')])
    const waiting = desk.start(['decrypt', archive, '-o', at('box/pipe')], { env })
    while (!desk.processes().some(({ argv }) => argv.includes('x'))) await sleep(50) // 7zz x
    await sleep(300)
    waiting.kill('SIGTERM')
    assert.equal((await waiting.ended).exitCode, 130)
    await rm(at('box'), { recursive: true })
    await nothingIsLeft()
  })

  it('ends when standard output is full', async () => {
    const { exitCode, stderr } = await inShell(`"$1" decrypt "$2" -o - >/dev/full`)
    assert.match(stderr, /^holdfast: .*ENOSPC/)
    assert.equal(exitCode, 1)
    await nothingIsLeft()
  })

  it('ends when nobody reads its standard output any more', async () => {
    const { exitCode } = await inShell(`"$1" decrypt "$2" -o - | head -c 10; exit "\${PIPESTATUS[0]}"`)
    assert.equal(exitCode, 141)
    await nothingIsLeft()
  })
})
