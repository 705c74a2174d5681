import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { holdfastProgram, openDesk, type Desk } from '../../test/e2e/cli.ts'
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
    assert.match(stderr, /nowhere/)
    assert.equal(exitCode, 1)
    await nothingIsLeft()
  })

  it('leaves no half output when it can be written only half', async () => {
    const { exitCode, stderr } = await inShell(`ulimit -f 1000; "$1" decrypt "$2" -o "$2.out"`)
    assert.match(stderr, /EFBIG/)
    assert.equal(exitCode, 1)
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
