import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { takeAwayAtTheEnd } from './leftovers.ts'
import { rootOf } from './needs.ts'
import { freePort, isListening } from './port.ts'
import { run, type ServerProcess, startServer } from './process.ts'
import { serverUser } from './server-user.ts'
import { type TempFolder, tempFolder } from './temp-folder.ts'

export interface SshdOptions {
  /** Where the user works instead of in a new folder; it is given to the user. */
  folder?: string
  /** Needs root, because sshd then needs a user of its own with a password. */
  passwordSignIn?: boolean
  /** As in sshd_config. */
  settings?: Record<string, string>
}

export interface SshdServer extends AsyncDisposable {
  host: string
  port: number
  user: string
  /** Undefined unless it was started with `passwordSignIn`. */
  password: string | undefined
  /** Signs the user in; in OpenSSH's format, without passphrase. */
  privateKey: string
  /** `SHA256:…`, as ssh shows it. */
  hostKeyFingerprint: string
  /** `ssh-ed25519 …`, as in known_hosts. */
  hostKey: string
  /** The user may write here; sessions begin here. */
  folder: string
  process: ServerProcess
}

/** OpenSSH's server. As root it makes a user for the time; without root one signs in as oneself. */
export async function startSshd(options: SshdOptions = {}): Promise<SshdServer> {
  rootOf('sshd')
  const isRoot = serverUser.drops
  const { passwordSignIn = isRoot, settings = {} } = options
  if (passwordSignIn && !isRoot)
    throw new Error('sshd lets nobody sign in with a password unless root starts it.')
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('sshd'))
  const home = options.folder ?? (await folder.makeFolder('home'))
  const [privateKey, hostKey] = await Promise.all([makeKey(folder, 'user'), makeKey(folder, 'host')])
  const user = isRoot ? stack.use(await addUser(home)) : { name: serverUser.name }
  const password = passwordSignIn ? randomBytes(12).toString('hex') : undefined
  if (isRoot) {
    // Locked accounts may not sign in, so there is always a password.
    const input = `${user.name}:${password ?? randomBytes(12).toString('hex')}\n`
    await changingUsers(() => run({ file: 'chpasswd', args: [], folder: folder.path, asRoot: true, input }))
    await mkdir('/run/sshd', { recursive: true })
  }
  const port = await freePort()
  const all = {
    ListenAddress: '127.0.0.1',
    Port: String(port),
    HostKey: hostKey.file,
    AuthorizedKeysFile: join(folder.path, 'user.pub'),
    AllowUsers: user.name,
    PasswordAuthentication: passwordSignIn ? 'yes' : 'no',
    KbdInteractiveAuthentication: 'no',
    UsePAM: 'no',
    // The temporary folder is below one that everyone may write to.
    StrictModes: 'no',
    PidFile: 'none',
    LogLevel: 'VERBOSE',
    MaxStartups: '100',
    MaxSessions: '100',
    Subsystem: `sftp internal-sftp -d ${home}`,
    ...settings,
  }
  const configuration = Object.entries(all).map(([name, value]) => `${name} ${value}\n`)
  const server = stack.use(
    await startServer({
      name: 'sshd',
      file: '/usr/sbin/sshd',
      args: ['-D', '-e', '-f', await folder.write('sshd_config', configuration.join(''))],
      folder: folder.path,
      asRoot: isRoot,
      isReady: () => isListening(port),
    }),
  )
  const cleanUp = stack.move()
  return {
    host: '127.0.0.1',
    port,
    user: user.name,
    password,
    privateKey: privateKey.private,
    hostKey: hostKey.public,
    hostKeyFingerprint: hostKey.fingerprint,
    folder: home,
    process: server,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

interface Key {
  file: string
  private: string
  public: string
  fingerprint: string
}

async function makeKey(folder: TempFolder, name: string): Promise<Key> {
  const program = { file: 'ssh-keygen', folder: folder.path }
  await run({ ...program, args: ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', name] })
  const [, fingerprint = ''] = (await run({ ...program, args: ['-l', '-f', `${name}.pub`] })).split(' ')
  const file = join(folder.path, name)
  const [type, key] = (await readFile(`${file}.pub`, 'utf8')).split(' ')
  return { file, private: await readFile(file, 'utf8'), public: `${type} ${key}`, fingerprint }
}

async function addUser(home: string): Promise<{ name: string } & AsyncDisposable> {
  const name = `holdfast-test-${randomBytes(4).toString('hex')}`
  const options = [
    '--no-create-home',
    `--home-dir=${home}`,
    '--shell=/bin/sh',
    '--no-user-group',
    '--gid=nogroup',
  ]
  const asRoot = { folder: '/', asRoot: true }
  takeAwayAtTheEnd({ kind: 'user', name })
  await changingUsers(() => run({ file: 'useradd', args: [...options, name], ...asRoot }))
  const uid = Number(await run({ file: 'id', args: ['-u', name], ...asRoot }))
  await chown(home, uid, (await stat(home)).gid)
  await chmod(home, 0o755)
  return {
    name,
    async [Symbol.asyncDispose]() {
      await changingUsers(() => run({ file: 'userdel', args: [name], ...asRoot }))
    },
  }
}

/** Only one program at a time may change /etc/passwd; the others do not wait but fail. */
async function changingUsers<T>(change: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + 10_000
  for (;;) {
    try {
      return await change()
    } catch (error) {
      if (!String(error).includes('lock') || Date.now() > giveUpAt) throw error
      await sleep(20)
    }
  }
}
