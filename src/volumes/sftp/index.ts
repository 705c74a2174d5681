import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Stats } from 'ssh2'
import { z } from 'zod'
import { fromEnvironment } from '../../lib/environment.ts'
import { AppError } from '../../shared/errors.ts'
import { wholeNumber } from '../../shared/fields.ts'
import { secret } from '../../shared/secrets.ts'
import type { Patience } from '../backoff.ts'
import { isLeftOver, isTemporary } from '../key.ts'
import { type Space, spaceStep } from '../space.ts'
import { decoded, settingsFromQuery } from '../url.ts'
import { defineVolume, type Volume } from '../volume.ts'
import { Connection } from './connection.ts'
import { status, statusOf } from './errors.ts'
import {
  below,
  entriesOf,
  explained,
  parentOf,
  removeEmptyFolders,
  removeFile,
  type RemoteRoot,
} from './files.ts'
import { listFiles, readFile, statFile } from './read.ts'
import { ASIDE, spaceAt, writeFile } from './write.ts'

const USER = 'must be given: the name to sign in with, in a URL sftp://user@host/path'
const SECONDS = 'must be a number from 1 to 300'

const config = z
  .strictObject({
    host: z.string().min(1, 'must not be empty').meta({ title: 'Host', addressee: true }),
    port: wholeNumber(1, 65_535).default(22).meta({ title: 'Port', addressee: true }),
    user: z.string(USER).min(1, USER).meta({ title: 'User', addressee: true }),
    password: secret('Password').optional(),
    privateKey: secret('Private key', 'The whole file, in OpenSSH’s or PEM form')
      .meta({ multiline: true })
      .optional(),
    passphrase: secret('Passphrase', 'Of the private key').optional(),
    root: z
      .string()
      .regex(/^(\/|~(\/|$))/, 'must begin with / or, for a path below the folder where logins begin, with ~/')
      .default('/')
      .meta({
        title: 'Root',
        description: 'The folder for snapshots: absolute, or ~/… below the folder where logins begin',
      }),
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'must be a fingerprint like SHA256:… (43 characters)')
      .optional()
      .meta({
        title: 'Host key',
        description: 'The server’s fingerprint, as “ssh-keygen -lf” shows it; any other key is refused',
      }),
    knownHosts: z
      .array(z.string())
      .default([])
      .meta({ title: 'known_hosts files', description: 'Looked into if no host key is set' }),
    timeout: z
      .number(SECONDS)
      .min(1, SECONDS)
      .max(300, SECONDS)
      .default(10)
      .meta({ title: 'Timeout', description: 'For connecting and signing in, in seconds' }),
  })
  .refine((settings) => settings.password !== undefined || settings.privateKey !== undefined, {
    path: ['password'],
    error: 'give a password or a private key (HOLDFAST_VOLUME_PASSWORD or HOLDFAST_VOLUME_PRIVATE_KEY_FILE)',
  })

type SftpSettings = z.output<typeof config>

/** A new connection is tried three times: a server that restarts is back after a second or two. */
const patient: Patience = { tries: 3, firstPause: 1000, longestPause: 4000 }

/** A folder on a server that is reached by SSH. */
export const sftp = defineVolume({
  label: 'SFTP server',
  schemes: ['sftp'],
  config,
  fromUrl,
  open: (settings) => openSftp(settings),
})

/** The volume, with the patience that tests shorten: pauses, and how long an answer is waited for (60 s). */
export function openSftp(settings: SftpSettings, patience: Patience = patient, idle = 60_000): Volume {
  const { user, host, port } = settings
  const path = settings.root.replace(/(?<=.)\/+$/, '')
  const root: RemoteRoot = {
    path: path.startsWith('~') ? path.slice(2) || '.' : path,
    location: `sftp://${user}@${host}:${port}${path.startsWith('~') ? `/${path}` : path}`,
  }
  const connection = new Connection(settings, patience, idle)
  return {
    location: root.location,
    readsAreCheap: false,
    write: (key, source, signal, options) => writeFile(connection, root, key, source, signal, options),
    read: (key, signal, range) => readFile(connection, root, key, patience, signal, range),
    stat: (key, signal) => statFile(connection, root, key, signal),
    list: (prefix, signal) => listFiles(connection, root, prefix, signal),
    isThere: (signal) => isThere(connection, root, signal),
    async remove(key, signal) {
      const path = below(root, key)
      await explained('remove', path, root, () =>
        connection.run(signal, async (session) => {
          await removeFile(session, path, signal)
          await removeEmptyFolders(session, parentOf(path), root, signal)
        }),
      )
    },
    async discard(prefix, signal) {
      const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        folders.push(...(await discardIn(connection, root, folder, prefix, signal)))
      }
    },
    space: (signal) => spaceOf(connection, root, signal),
    async examine(signal) {
      const started = performance.now()
      const step = spaceStep(await spaceOf(connection, root, signal))
      return [{ ...step, milliseconds: Math.round(performance.now() - started) }]
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/** The folder itself may be a link, which `lstat` would not follow. */
async function isThere(connection: Connection, root: RemoteRoot, signal: AbortSignal): Promise<boolean> {
  return await explained('look at', root.path, root, () =>
    connection.run(signal, async (session) => {
      try {
        const there = await session.call<Stats>(signal, (sftp, answer) => sftp.stat(root.path, answer))
        if (there.isDirectory()) return true
      } catch (error) {
        if (statusOf(error) === status.noSuchFile) return false
        throw error
      }
      throw new AppError('volume_refused', `“${root.path}” on ${root.location} is not a folder.`, {
        hint: 'A volume is a folder. Name another, or one that is not there yet: the first snapshot makes it.',
      })
    }),
  )
}

/** Removes what was left behind in a folder (`a/b/`, or empty). Returns the folders in it that the prefix covers. */
async function discardIn(
  connection: Connection,
  root: RemoteRoot,
  folder: string,
  prefix: string,
  signal: AbortSignal,
): Promise<string[]> {
  const path = folder === '' ? root.path : below(root, folder.slice(0, -1))
  return await explained('clean up', path, root, () =>
    connection.run(signal, async (session) => {
      const entries = await Array.fromAsync(entriesOf(session, path, signal))
      for (const { name, attrs } of entries) {
        // What steps aside for a moment was a published object, see replace().
        if (name.endsWith(ASIDE) || !isLeftOver(folder, name, prefix, new Date(attrs.mtime * 1000))) continue
        await removeFile(session, below(root, folder + name), signal)
      }
      await removeEmptyFolders(session, path, root, signal)
      const folders = entries.filter(({ name, attrs }) => attrs.isDirectory() && !isTemporary(name))
      return folders.map(({ name }) => `${folder}${name}/`).filter((inner) => inner.startsWith(prefix))
    }),
  )
}

/** `sftp://user@host:port/path`; `/~/path` is below the folder where logins begin. */
function fromUrl(text: string, environment: NodeJS.ProcessEnv): unknown {
  const url = URL.parse(text)
  if (!url?.hostname) {
    throw new AppError('invalid_input', 'An SFTP URL is written sftp://user@host:port/path', {
      hint: 'A slash, @ or colon in user or password is written %2F, %40 or %3A.',
    })
  }
  const path = decoded(url.pathname)
  const fromQuery = settingsFromQuery(config, url.search.slice(1).replaceAll('+', '%2B'))
  const hasKey = fromQuery.hostKey !== undefined
  return withoutUndefined({
    knownHosts: hasKey
      ? []
      : [join(environment.HOME || homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'],
    password: decoded(url.password) || fromEnvironment(environment, 'HOLDFAST_VOLUME_PASSWORD'),
    privateKey: fromEnvironment(environment, 'HOLDFAST_VOLUME_PRIVATE_KEY'),
    passphrase: fromEnvironment(environment, 'HOLDFAST_VOLUME_PRIVATE_KEY_PASSPHRASE'),
    ...fromQuery,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port ? Number(url.port) : undefined,
    user: decoded(url.username) || undefined,
    root: path === '' ? '/' : path.replace(/^\/~(?=\/|$)/, '~'),
  })
}

async function spaceOf(
  connection: Connection,
  root: RemoteRoot,
  signal: AbortSignal,
): Promise<Space | undefined> {
  // The root may not be there yet; what is above it then tells.
  for (let folder = root.path; ; folder = parentOf(folder)) {
    try {
      return await spaceAt(connection, folder, signal)
    } catch (error) {
      if (error instanceof AppError || folder === parentOf(folder) || signal.aborted) throw error
    }
  }
}

function withoutUndefined(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
