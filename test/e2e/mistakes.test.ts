import assert from 'node:assert/strict'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CliEnd, type Desk, openDesk } from './cli.ts'
import { openSources, type Source } from './databases.ts'

const sources = openSources({ rows: 10 })
let desk: Desk
let source: Source
before(async () => {
  ;[desk, source] = await Promise.all([openDesk(), sources.source('sqlite')])
  await writeFile(join(desk.folder.path, 'file'), 'no folder')
  await symlink('nowhere', join(desk.folder.path, 'dangling'))
})
after(async () => {
  await desk?.[Symbol.asyncDispose]()
  await sources[Symbol.asyncDispose]()
})

const backUp = (...more: string[]) => desk.run(['backup', 'once', source.url(), ...more])

/** With a hint, and without having made anything. */
async function refused(exitCode: number, said: RegExp, end: Promise<CliEnd>): Promise<void> {
  const before = await readdir(desk.folder.path)
  const { stdout, stderr, ...rest } = await end
  assert.equal(rest.exitCode, exitCode, stdout + stderr)
  assert.match(stderr, said)
  assert.match(stderr, /^ {2}hint: ./m)
  assert.equal(stdout, '')
  assert.deepEqual(await readdir(desk.folder.path), before)
}

describe('a slip on the command line', { timeout: 400_000 }, () => {
  it('that gives a volume twice is told, with both names', async () => {
    await refused(2, /Volume “\.\/nb” is given twice\./, backUp('--to', './nb', '--to', './nb'))
    const whole = join(desk.folder.path, 'nb')
    const both = new RegExp(`Volumes “\\./nb” and “${whole}” are the same place\\.`)
    await refused(2, both, backUp('--to', './nb', '--to', whole))
  })

  it('that leaves a URL empty does not mean the current directory', async () => {
    await refused(2, /The volume URL is empty\./, backUp('--to', ''))
    assert.match(
      (await backUp('--to', 'file:')).stderr,
      /file: is not a valid volume: path: must not be empty\./,
    )
    await refused(2, /The volume URL is empty\./, desk.run(['snapshots', 'ls', '--on', ' ']))
    await refused(2, /The volume URL is empty\./, desk.run(['test', '']))
    await refused(2, /A database URL is wanted\./, desk.run(['backup', 'once', '', '--to', './nb']))
  })

  it('that puts the demonstration where no folder can be made is told', async () => {
    await refused(2, /file\/x cannot be made: EEXIST/, desk.run(['demo', '--data', 'file/x']))
    if (process.platform !== 'linux') return
    await refused(2, /\/proc\/x cannot be made: ENOENT/, desk.run(['demo', '--data', '/proc/x']))
  })

  it('that leaves an option’s value empty is told, with the option', async () => {
    for (const option of ['--name', '--path', '--server', '--trigger', '--database', '--release'])
      await refused(2, new RegExp(`The value of ${option} is empty\\.`), backUp('--to', 'nb', option, ''))
  })

  it('that makes a word far too long is told, with its limit', async () => {
    const end = await backUp('--to', 'nb', '--trigger', 'x'.repeat(61))
    assert.deepEqual(
      [end.exitCode, end.stderr],
      [2, 'holdfast: The value of --trigger has 61 characters; it may have 60.\n'],
    )
    const comment = await backUp('--to', 'nb', '--comment', 'x'.repeat(2001))
    assert.match(comment.stderr, /--comment has 2001 characters; it may have 2000\./)
    const longest = await backUp('--to', 'kept', '--trigger', 'x'.repeat(60), '--comment', 'x'.repeat(2000))
    assert.equal(longest.exitCode, 0, longest.stderr)
  })

  it('that names a place where no folder can be ends at once', async () => {
    await refused(1, /Could not write “\/proc\/x\//, backUp('--to', '/proc/x'))
    await refused(1, /file” is not a folder\./, backUp('--to', './file'))
    await refused(1, /file” is not a folder\./, backUp('--to', './file/below'))
    await refused(1, /dangling” is a symbolic link to nothing\./, backUp('--to', './dangling'))
  })

  it('that names a missing folder is no empty volume', async () => {
    await refused(4, /There is no folder .*\/missing\./, desk.run(['snapshots', 'ls', '--on', './missing']))
    await refused(1, /file” is not a folder\./, desk.run(['snapshots', 'ls', '--on', './file']))
    await mkdir(join(desk.folder.path, 'empty'))
    const listed = await desk.run(['snapshots', 'ls', '--on', './empty'])
    assert.deepEqual(
      [listed.exitCode, listed.stderr],
      [0, `No snapshots on ${join(desk.folder.path, 'empty')}.\n`],
    )
  })

  it('that names one wrong volume of two is told with its hint', async () => {
    const { exitCode, stdout, stderr } = await backUp('--to', './good', '--to', './file')
    assert.equal(exitCode, 3, stderr)
    assert.match(
      stdout,
      /copy {6}\.\/file: FAILED: “.*file” is not a folder\.\n {12}hint: A volume is a folder\./,
    )
    assert.equal(stderr, '')
  })

  it('that leads to a port where nothing listens is told once, and of nothing left behind', async () => {
    const url = 'sftp://u@127.0.0.1:1/x'
    const env = { HOLDFAST_VOLUME_PASSWORD: 'x' }
    const end = await desk.run(['backup', 'once', source.url(), '--to', url], { env })
    assert.equal(end.exitCode, 1)
    assert.match(
      end.stderr,
      /^holdfast: .*: Could not connect to 127\.0\.0\.1:1: .*ECONNREFUSED.*\n {2}hint: .*\n$/,
    )
    const tested = await desk.run(['test', url], { env })
    assert.doesNotMatch(tested.stdout, /so far could not be removed/)
  })

  it('that puts a secret into a volume’s URL is warned of', async () => {
    const { stderr } = await backUp('--to', 'sftp://u:canary@127.0.0.1:1/x', '--to', './good')
    assert.match(stderr, /^warning: The volume URL .* contains a secret/)
    assert.doesNotMatch(stderr, /canary/)
  })
})

describe('help', () => {
  it('knows the exit code of a reader that is gone', async () => {
    assert.match((await desk.run(['--help'])).stdout, /141 nobody read the output/)
  })
})
