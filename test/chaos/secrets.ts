import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BackupReport, type CliEnd, type Desk, jsonOf, openDesk } from '../e2e/cli.ts'
import { databaseKinds, type Source, type Sources } from '../e2e/databases.ts'
import { type Grounds, isFolder, type Place, placeKinds } from '../e2e/places.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { encryptions } from './forms.ts'
import { type Bench, type Group, needsOf } from './suite.ts'

/** What must be seen nowhere, by what it is. */
type Canaries = Record<string, string>

/** Which variables of a tool may hold which canary, because the tool needs it. */
const mayKnow: Record<string, string> = { PGPASSWORD: 'database', MYSQL_PWD: 'database' }

/**
 * Every secret is a canary that is looked for everywhere afterwards: in the arguments and environments of all
 * processes while they ran, in what was said, and in everything that lies on the volumes.
 */
export function secrets({ sources, grounds }: Bench): Group[] {
  return databaseKinds.map((kind) => ({
    name: `${kind}: no secret is seen anywhere`,
    needs: [...needsOf[kind], ...placeKinds.flatMap((place) => needsOf[place]), 'age' as const],
    few: kind === 'postgresql' ? 1 : 0,
    most: 10,
    async round(_n, isShort) {
      const watched = await openWatchedDesk(await sources.source(kind), sources, grounds)
      await using _stack = watched.stack
      await useEverything(watched, isShort)
      await watched.look()
      for (const { what, text } of watched.said)
        for (const [name, canary] of Object.entries(watched.canaries))
          assert.ok(!text.includes(canary), `the ${name} is in ${what}: ${excerpt(text, canary)}`)
    },
  }))
}

interface Watched {
  stack: AsyncDisposableStack
  desk: Desk
  source: Source
  places: Place[]
  env: Record<string, string>
  canaries: Canaries
  said: { what: string; text: string }[]
  /** Runs a command and remembers all that was said, and all that its processes were started with. */
  run: (args: string[], env?: Record<string, string>) => Promise<CliEnd>
  /** Remembers what lies on the volumes. */
  look(): Promise<void>
}

async function openWatchedDesk(server: Source, sources: Sources, grounds: Grounds): Promise<Watched> {
  const stack = new AsyncDisposableStack()
  const desk = stack.use(await openDesk())
  const places: Place[] = []
  for (const kind of placeKinds) places.push(stack.use(await grounds.place(kind)))
  const canary = () => `canary${randomBytes(8).toString('hex')}`
  const databasePassword = canary()
  const source = await withUser(
    server,
    sources,
    `watched_${randomBytes(3).toString('hex')}`,
    databasePassword,
  )
  const sftpPlace = places.find(({ kind }) => kind === 'sftp')
  const key = await lockedKey(sftpPlace?.env['HOLDFAST_VOLUME_PRIVATE_KEY'] ?? '', canary())
  const [, , age] = encryptions()
  const env: Record<string, string> = {
    ...Object.assign({}, ...places.map((place) => place.env)),
    ...source.env,
    BACKUP_ENCRYPTION_KEY: canary(),
    HOLDFAST_AGE_PASSPHRASE: canary(),
    ...age?.env,
    HOLDFAST_VOLUME_PRIVATE_KEY: key.text,
    HOLDFAST_VOLUME_PRIVATE_KEY_PASSPHRASE: key.passphrase,
  }
  const canaries = {
    'database password': databasePassword,
    'secret access key': env['AWS_SECRET_ACCESS_KEY'] ?? '',
    'private key': key.text.split('\n')[2] ?? '',
    passphrase: key.passphrase,
    'instance key': env['BACKUP_ENCRYPTION_KEY'] ?? '',
    'age passphrase': env['HOLDFAST_AGE_PASSPHRASE'] ?? '',
    'age identity': env['HOLDFAST_AGE_IDENTITY'] ?? '',
  }
  for (const [name, value] of Object.entries(canaries))
    assert.ok(value.length > 15, `the ${name} is no canary`)
  const said: Watched['said'] = []
  return {
    stack,
    desk,
    source,
    places,
    env,
    canaries,
    said,
    async run(args, more = {}) {
      const running = desk.start(args, { env: { ...env, ...more } })
      const sampling = sample(desk, running.pid, canaries, said)
      const end = await running.ended
      await sampling
      said.push({ what: `what holdfast ${args.slice(0, 2).join(' ')} says`, text: end.stdout + end.stderr })
      return end
    },
    async look() {
      for (const place of places) {
        for (const name of await place.everything()) {
          if (isFolder(place, name)) continue
          said.push({
            what: `${name} on the ${place.kind} volume`,
            text: name + (await place.read(name)).toString('latin1'),
          })
        }
      }
      for (const name of await readdir(desk.temporary)) said.push({ what: 'a temporary file', text: name })
    },
  }
}

/** Reads what the processes were started with, again and again until the first of them has ended. */
async function sample(desk: Desk, pid: number, canaries: Canaries, said: Watched['said']): Promise<void> {
  const seen = new Set<string>()
  for (
    let processes = desk.processes();
    processes.some((one) => one.pid === pid);
    processes = desk.processes()
  ) {
    for (const one of processes) {
      const line = one.argv.join(' ')
      // Until it has become another program, and while the launcher looks for Node, a child is still Holdfast itself.
      const isOwn = one.pid === pid || /bin\/holdfast|src\/cli\/main\.ts|^(?:dirname|readlink) /.test(line)
      if (!isOwn && !seen.has(line))
        said.push({ what: `the arguments of ${basename(one.argv[0] ?? '')}`, text: line })
      seen.add(line)
      if (isOwn) {
        // The user's own environment is where the secrets come from; the arguments are the user's, too.
        said.push({ what: 'the arguments of holdfast', text: line })
        continue
      }
      for (const variable of one.environment) {
        const [name = ''] = variable.split('=', 1)
        for (const [canary, value] of Object.entries(canaries))
          if (variable.includes(value) && !(mayKnow[name] && canary.startsWith(mayKnow[name])))
            said.push({ what: `the environment of ${line}`, text: variable })
      }
    }
    await sleep(15)
  }
}

/** Every command, as it succeeds and as it fails. */
async function useEverything(
  { run, source, places, canaries, desk }: Watched,
  isShort: boolean,
): Promise<void> {
  const to = places.flatMap(({ url }) => ['--to', url])
  const recipient = execFileSync('age-keygen', ['-y'], {
    input: `${canaries['age identity']}\n`,
    encoding: 'utf8',
  }).trim()
  for (const [form, words] of Object.entries({
    '7z': '7z',
    age: `age:${recipient}`,
    passphrase: 'age:passphrase',
  })) {
    const end = await run([
      'backup',
      'once',
      source.url(),
      ...to,
      '--encryption',
      words,
      '--verbose',
      '--json',
    ])
    assert.equal(end.exitCode, 0, end.stdout + end.stderr)
    const [snapshot] = jsonOf<BackupReport>(end).snapshots
    for (const { url, kind } of places.slice(form === '7z' && !isShort ? 0 : 2)) {
      await expectSuccess(run(['verify', snapshot?.key ?? '', '--on', url, '--json']))
      await expectSuccess(run(['snapshots', 'show', snapshot?.key ?? '', '--on', url]))
      const into = source.url(`restored_${kind}`)
      const args = [
        'restore',
        'once',
        snapshot?.key ?? '',
        '--from',
        url,
        '--into',
        into,
        '--mode',
        'replace',
      ]
      await expectSuccess(run([...args, '--no-safety-snapshot', '--verbose']))
    }
  }
  for (const url of [source.url(), ...places.map(({ url }) => url)]) await run(['test', url, '--json'])
  for (const { url } of places) await expectSuccess(run(['snapshots', 'ls', '--on', url, '--json']))
  await run(['doctor'])

  const debug = { HOLDFAST_DEBUG: '1' }
  const wrong = (name: string, value: string) => ({ ...debug, [name]: value })
  const fails = async (args: string[], env: Record<string, string>) => {
    for (const more of [[], ['--json']]) {
      const { exitCode, stdout, stderr } = await run([...args, ...more], env)
      assert.notEqual(exitCode, 0, stdout + stderr)
    }
  }
  const backup = ['backup', 'once', source.url(), ...to.slice(0, 2)]
  if (source.kind !== 'sqlite')
    await fails(backup, wrong('HOLDFAST_DATABASE_PASSWORD', `${canaries['database password']}x`))
  await fails(['backup', 'once', source.url('missing'), ...to.slice(0, 2)], debug)
  await fails([...backup, '--table', 'missing'], debug)
  await fails(
    ['backup', 'once', source.url(), ...to.slice(2, 4)],
    wrong('AWS_SECRET_ACCESS_KEY', `${canaries['secret access key']}x`),
  )
  await fails(
    ['snapshots', 'ls', '--on', places[2]?.url ?? ''],
    wrong('HOLDFAST_VOLUME_PRIVATE_KEY_PASSPHRASE', `${canaries['passphrase']}x`),
  )
  const cut = join(desk.folder.path, 'cut.age')
  await writeFile(cut, 'age-encryption.org/v1\n-> X25519 x\nx\n')
  await fails(['decrypt', cut], debug)
}

async function expectSuccess(running: Promise<CliEnd>): Promise<void> {
  const { exitCode, stdout, stderr } = await running
  assert.equal(exitCode, 0, stdout + stderr)
}

/** The same server through the eyes of another user, whose password is the canary. */
async function withUser(source: Source, sources: Sources, user: string, password: string): Promise<Source> {
  if (source.kind === 'postgresql') {
    await (await sources.postgres()).query(`create role ${user} login superuser password '${password}'`)
  } else {
    await (
      await sources.mariadb()
    ).query([
      `create user ${user}@'127.0.0.1' identified by '${password}'`,
      `grant all on *.* to ${user}@'127.0.0.1' with grant option`,
    ])
  }
  return {
    ...source,
    password,
    env: { HOLDFAST_DATABASE_PASSWORD: password },
    url: (database) => source.url(database).replace(/\/\/[^@]+@/, `//${user}@`),
  }
}

/** The private key as it is after `ssh-keygen -p`. */
async function lockedKey(text: string, passphrase: string): Promise<{ text: string; passphrase: string }> {
  await using folder = await tempFolder('key')
  const path = join(folder.path, 'key')
  await writeFile(path, text, { mode: 0o600 })
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', path])
  return { text: await readFile(path, 'utf8'), passphrase }
}

function excerpt(text: string, canary: string): string {
  const at = text.indexOf(canary)
  return text.slice(Math.max(0, at - 200), at + canary.length + 50)
}
