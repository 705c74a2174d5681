import { randomUUID } from 'node:crypto'
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import { type CephServer, startCeph } from '../servers/ceph.ts'
import { s3Client } from '../servers/s3-server.ts'
import { type SshdServer, startSshd } from '../servers/sshd.ts'
import { type TempFolder, tempFolder } from '../servers/temp-folder.ts'

export const placeKinds = ['local', 's3', 'sftp'] as const
export type PlaceKind = (typeof placeKinds)[number]

/**
 * An empty place for snapshots, seen with other eyes than Holdfast's: what is there is told by the file system, or by
 * S3 itself.
 */
export interface Place extends AsyncDisposable {
  kind: PlaceKind
  url: string
  /** What Holdfast needs to reach it, besides the URL. */
  env: Record<string, string>
  /** Everything there, also temporary files, folders, notes and unfinished uploads. */
  everything(): Promise<string[]>
  read(name: string): Promise<Buffer>
}

/** The servers behind the places; each is started when the first place on it is wanted. */
export interface Grounds extends AsyncDisposable {
  place(kind: PlaceKind): Promise<Place>
  ceph(): Promise<CephServer & { bucket: string }>
  sshd(): Promise<SshdServer>
}

export function openGrounds(): Grounds {
  const stack = new AsyncDisposableStack()
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => (made ??= make())
  }
  const folder = once(async () => stack.use(await tempFolder('places')))
  const ceph = once(async () => {
    const server = stack.use(await startCeph())
    return { ...server, bucket: await server.createBucket() }
  })
  const client = once(async () => s3Client(await ceph()))
  const sshd = once(async () => stack.use(await startSshd()))
  return {
    ceph,
    sshd,
    async place(kind) {
      switch (kind) {
        case 'local':
          return await localPlace(await folder())
        case 's3':
          return s3Place(await ceph(), await client())
        case 'sftp':
          return await sftpPlace(await sshd())
        default:
          throw new Error(`There are no places of the kind ${String(kind satisfies never)}.`)
      }
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync()
    },
  }
}

async function localPlace(folder: TempFolder): Promise<Place> {
  const path = join(folder.path, randomUUID())
  await mkdir(path)
  return { kind: 'local', url: path, env: {}, ...inFolder(path) }
}

async function sftpPlace(server: SshdServer): Promise<Place> {
  const path = join(server.folder, randomUUID())
  await mkdir(path)
  await chmod(path, 0o777) // for the user who signs in
  return { kind: 'sftp', ...sftpAccess(server, path, server), ...inFolder(path) }
}

/** The URL of a folder on the server, perhaps by way of a proxy, and the key that opens it. */
export function sftpAccess(
  server: SshdServer,
  path: string,
  { host, port }: { host: string; port: number },
): { url: string; env: Record<string, string> } {
  return {
    url: `sftp://${server.user}@${host}:${port}${path}?host-key=${server.hostKeyFingerprint}`,
    env: { HOLDFAST_VOLUME_PRIVATE_KEY: server.privateKey },
  }
}

function s3Place(server: CephServer & { bucket: string }, client: S3Client): Place {
  const prefix = randomUUID()
  const { bucket } = server
  const names = async () => {
    const found: string[] = []
    let token: string | undefined
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/`, ContinuationToken: token }),
      )
      found.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length + 1)))
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found
  }
  return {
    kind: 's3',
    ...s3Access(server, bucket, prefix, server.endpoint),
    async everything() {
      const { Uploads = [] } = await client.send(
        new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${prefix}/` }),
      )
      const uploads = Uploads.map(({ Key = '' }) => `${Key.slice(prefix.length + 1)} (unfinished upload)`)
      return [...(await names()), ...uploads].sort()
    },
    async read(name) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}/${name}` }))
      return Buffer.from((await Body?.transformToByteArray()) ?? [])
    },
    async [Symbol.asyncDispose]() {
      const Objects = (await names()).map((name) => ({ Key: `${prefix}/${name}` }))
      if (Objects.length > 0)
        await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
    },
  }
}

/** The URL of a folder in a bucket, perhaps by way of a proxy, and the keys that open it. */
export function s3Access(
  { region, accessKeyId, secretAccessKey }: { region: string; accessKeyId: string; secretAccessKey: string },
  bucket: string,
  prefix: string,
  endpoint: string,
): { url: string; env: Record<string, string> } {
  return {
    url: `s3://${bucket}/${prefix}?endpoint=${endpoint}&region=${region}&path-style=true`,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  }
}

/** A folder of this machine, however it is reached. */
export function inFolder(path: string): Pick<Place, 'everything' | 'read' | typeof Symbol.asyncDispose> {
  return {
    everything: async () => namesIn(path),
    read: (name) => readFile(join(path, name)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}

function namesIn(path: string): string[] {
  return (readdirSync(path, { recursive: true }) as string[]).sort()
}

/** The files on a place that are snapshots: each object with its manifest. Throws if anything else is there. */
export async function snapshotsOn(place: Place): Promise<string[]> {
  const names = (await place.everything()).filter((name) => !isFolder(place, name))
  const manifests = names.filter((name) => name.endsWith('.manifest.json'))
  const keys = manifests.map((name) => name.slice(0, -'.manifest.json'.length))
  const known = new Set([...manifests, ...keys, 'RESTORE.txt'])
  const others = names.filter((name) => !known.has(name))
  const missing = keys.filter((key) => !names.includes(key))
  if (others.length > 0) throw new Error(`Left on the ${place.kind} volume: ${others.join(', ')}`)
  if (missing.length > 0) throw new Error(`A manifest without its object: ${missing.join(', ')}`)
  return keys
}

export function isFolder(place: Place, name: string): boolean {
  if (place.kind === 's3') return false
  const path = place.kind === 'local' ? place.url : decodeURIComponent(new URL(place.url).pathname)
  return statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Calls back at the n-th change of what lies in a folder, also while it still happens. */
export function atChange(path: string, n: number, act: () => void): Disposable {
  let seen = 0
  const watcher: FSWatcher = watch(path, { recursive: true }, () => {
    seen += 1
    if (seen === n) act()
  })
  return { [Symbol.dispose]: () => watcher.close() }
}
