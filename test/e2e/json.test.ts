import assert from 'node:assert/strict'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type ErrorCode, errors } from '../../src/shared/errors.ts'
import { skipUnless } from '../servers/needs.ts'
import { type BackupReport, type CliOptions, type Desk, jsonOf, openDesk } from './cli.ts'
import { openSources, type Source } from './databases.ts'
import { openGrounds, type Place } from './places.ts'

const grounds = openGrounds()
const sources = openSources({ rows: 100 })
let desk: Desk
let source: Source
before(async () => {
  ;[desk, source] = await Promise.all([openDesk(), sources.source('sqlite')])
})
after(async () => {
  await desk?.[Symbol.asyncDispose]()
  await sources[Symbol.asyncDispose]()
  await grounds[Symbol.asyncDispose]()
})

async function backUp(place: Place, options: CliOptions = {}) {
  const env = { ...place.env, ...options.env }
  const end = await desk.run(['backup', 'once', source.url(), '--to', place.url, '--json'], { env })
  const [taken] = jsonOf<BackupReport>(end).snapshots
  assert.ok(taken, end.stdout)
  return { ...taken, end }
}

describe('with --json standard output is one JSON document', { concurrency: 2 }, () => {
  let place: Place
  let id: string
  let damaged: string
  before(async () => {
    place = await grounds.place('local')
    ;({ id } = await backUp(place))
    const other = await backUp(place)
    damaged = other.id
    await truncate(join(place.url, other.key), 100)
  })

  const failures: { name: string; code: ErrorCode; args: () => string[] }[] = [
    { name: 'an unknown option', code: 'invalid_input', args: () => ['doctor', '--jsn'] },
    { name: 'a missing option', code: 'invalid_input', args: () => ['backup', 'once', source.url()] },
    {
      name: 'a kind of volume that there is not',
      code: 'invalid_input',
      args: () => ['snapshots', 'ls', '--on', 'gopher://host/'],
    },
    {
      name: 'a snapshot that is not there, to be shown',
      code: 'snapshot_not_found',
      args: () => ['snapshots', 'show', 'none', '--on', place.url],
    },
    {
      name: 'a snapshot that is not there, to be restored',
      code: 'snapshot_not_found',
      args: () => ['restore', 'once', 'none', '--from', place.url, '--into', source.url('none')],
    },
    {
      name: 'a damaged copy',
      code: 'checksum_mismatch',
      args: () => ['verify', damaged, '--on', place.url],
    },
    {
      name: 'a target that exists',
      code: 'database_exists',
      args: () => ['restore', 'once', id, '--from', place.url, '--into', source.url()],
    },
  ]
  for (const { name, code, args } of failures) {
    it(`that tells of ${name}`, async () => {
      const end = await desk.run([...args(), '--json'])
      const { error } = jsonOf<{ error: { code: string; message: string } }>(end)
      assert.equal(error.code, code, error.message)
      assert.equal(end.exitCode, errors[code].exit)
      assert.notEqual(error.message, '')
    })
  }

  it('that tells of the databases that failed, and of those that did not', async () => {
    const there = decodeURIComponent(source.url().slice('sqlite:'.length))
    const missing = `${there}.missing`
    const names = ['--database', there, '--database', missing]
    const args = ['backup', 'once', source.url(), ...names, '--to', place.url, '--json']
    const end = await desk.run(args)
    const { snapshots, failures } = jsonOf<BackupReport>(end)
    assert.deepEqual(
      snapshots.map(({ state }) => state),
      ['succeeded'],
    )
    assert.deepEqual(
      failures.map(({ database, error }) => [database, error.code]),
      [[missing, 'database_not_found']],
    )
    assert.equal(end.exitCode, errors.database_not_found.exit)
  })
})

describe('a volume that cannot be closed', { skip: skipUnless('ceph'), concurrency: 2 }, () => {
  let place: Place
  let broken: CliOptions
  let id: string
  before(async () => {
    place = await grounds.place('s3')
    // Closing an S3 volume closes the connections that are kept open.
    const preload = join(desk.folder.path, 'closing-fails.mjs')
    await writeFile(
      preload,
      `import { Agent } from 'node:http'\nAgent.prototype.destroy = () => { throw new Error('the bolt is stuck') }\n`,
    )
    broken = { env: { ...place.env, NODE_OPTIONS: `--import=${preload}` } }
    ;({ id } = await backUp(place))
  })
  const told = /^warning: s3:\/\/\S+ could not be closed: the bolt is stuck$/m

  it('changes nothing in what a backup reports', async () => {
    const { state, end } = await backUp(place, broken)
    assert.equal(state, 'succeeded')
    assert.equal(end.exitCode, 0)
    assert.match(end.stderr, told)
  })

  it('adds no second document to what has been printed', async () => {
    const listed = await desk.run(['snapshots', 'ls', '--on', place.url, '--json'], broken)
    const { snapshots } = jsonOf<{ snapshots: { snapshot: string }[] }>(listed)
    assert.ok(snapshots.some(({ snapshot }) => snapshot === id))
    assert.equal(listed.exitCode, 0)
    assert.match(listed.stderr, told)
  })

  it('does not hide why the work failed', async () => {
    const args = ['snapshots', 'show', 'none', '--on', place.url, '--json']
    const shown = await desk.run(args, broken)
    assert.equal(jsonOf<BackupReport>(shown).error?.code, 'snapshot_not_found')
    assert.equal(shown.exitCode, errors.snapshot_not_found.exit)
    assert.match(shown.stderr, told)
  })
})
