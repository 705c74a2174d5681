import { join } from 'node:path'
import { rootOf } from './needs.ts'
import { freePort, isListening } from './port.ts'
import { run, startServer } from './process.ts'
import { createBucket, listingPage, type S3Server } from './s3-server.ts'
import { serverUser } from './server-user.ts'
import { tempFolder } from './temp-folder.ts'

const stores = ['account', 'container', 'object'] as const

/** What the proxy server passes each request through, from outside to inside. */
const filters: Record<string, Record<string, string>> = {
  catch_errors: {},
  cache: { use: 'egg:swift#memcache', memcache_servers: '127.0.0.1:1' },
  listing_formats: {},
  bulk: {},
  s3api: {
    max_bucket_listing: String(listingPage),
    s3_acl: 'false',
    location: 'us-east-1',
    cors_preflight_allow_origin: '',
  },
  tempauth: { user_test_tester: 'testing .admin' },
  copy: {},
  slo: {},
  dlo: {},
  versioned_writes: { allow_object_versioning: 'true' },
  symlink: {},
}

/**
 * OpenStack's object store with its S3 interface. It checks signatures and SHA-256 checksums; it has no object
 * lock. Its files need a file system with extended attributes.
 */
export async function startSwift(): Promise<S3Server> {
  const binaries = join(rootOf('swift'), 'usr/bin')
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('swift'))
  const settings = await folder.makeFolder('settings')
  await folder.makeFolder('disks')
  await folder.makeFolder('disks/d1')
  const write = (name: string, sections: Sections) => folder.write(join('settings', name), iniFile(sections))
  await write('swift.conf', {
    'swift-hash': { swift_hash_path_prefix: 'a', swift_hash_path_suffix: 'b' },
    'storage-policy:0': { name: 'default', default: 'yes' },
  })
  const [port, ...storePorts] = await Promise.all([freePort(), ...stores.map(() => freePort())])
  const common = (port: number | undefined) => ({
    bind_ip: '127.0.0.1',
    bind_port: String(port),
    swift_dir: settings,
    user: serverUser.name,
    workers: '0',
    log_level: 'ERROR',
  })
  const program = (args: string[], input?: string) => ({
    file: join(binaries, 'python3'),
    args,
    folder: folder.path,
    ...(input !== undefined && { input }),
  })
  await run(
    program(['-', settings, ...stores.map((store, index) => `${store}:${storePorts[index]}`)], makeRings),
  )
  for (const [index, store] of stores.entries()) {
    await write(`${store}.conf`, {
      DEFAULT: {
        ...common(storePorts[index]),
        devices: join(folder.path, 'disks'),
        mount_check: 'false',
        disable_fallocate: 'true',
        fsync_is_off: 'true',
      },
      'pipeline:main': { pipeline: `${store}-server` },
      [`app:${store}-server`]: { use: `egg:swift#${store}` },
    })
  }
  await write('proxy.conf', {
    DEFAULT: common(port),
    'pipeline:main': { pipeline: [...Object.keys(filters), 'proxy-server'].join(' ') },
    'app:proxy-server': {
      use: 'egg:swift#proxy',
      allow_account_management: 'true',
      account_autocreate: 'true',
    },
    ...Object.fromEntries(
      Object.entries(filters).map(([name, options]) => [
        `filter:${name}`,
        { use: `egg:swift#${name}`, ...options },
      ]),
    ),
  })
  const start = (name: string, port = 0) =>
    startServer({
      ...program([
        '-c',
        runServer,
        join(settings, 'swift.conf'),
        join(binaries, `swift-${name}-server`),
        join(settings, `${name}.conf`),
      ]),
      name,
      // What it would still write, nobody reads.
      stopSignal: 'SIGKILL',
      isReady: () => isListening(port),
    })
  const servers = await Promise.allSettled([
    start('proxy', port),
    ...stores.map((store, index) => start(store, storePorts[index])),
  ])
  for (const server of servers) if (server.status === 'fulfilled') stack.use(server.value)
  for (const server of servers) if (server.status === 'rejected') throw server.reason
  const server = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKeyId: 'test:tester',
    secretAccessKey: 'testing',
  }
  const cleanUp = stack.move()
  return {
    ...server,
    createBucket: (options) => createBucket(server, options),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/** Which part of the data is on which disk; here all of it is on the only one. */
const makeRings = `
import sys
from swift.common.ring import RingBuilder
folder, *stores = sys.argv[1:]
for store in stores:
    name, port = store.split(':')
    disk = dict(id=0, region=1, zone=1, device='d1', weight=1.0, meta='', ip='127.0.0.1', port=int(port),
                replication_ip='127.0.0.1', replication_port=int(port))
    builder = RingBuilder(2, 1, 0)
    builder.add_dev(disk)
    builder.rebalance()
    builder.get_ring().save(f'{folder}/{name}.ring.gz')
`

/** The place of swift.conf is a constant of the program. */
const runServer = `
import runpy, sys
from swift.common import utils
from swift.common.utils import config
utils.SWIFT_CONF_FILE = config.SWIFT_CONF_FILE = sys.argv[1]
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name='__main__')
`

type Sections = Record<string, Record<string, string>>

function iniFile(sections: Sections): string {
  return Object.entries(sections)
    .map(([name, options]) => [
      `[${name}]`,
      ...Object.entries(options).map(([key, value]) => `${key} = ${value}`),
      '',
    ])
    .flat()
    .join('\n')
}
