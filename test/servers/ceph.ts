import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { architecture } from './architecture.ts'
import { rootOf } from './needs.ts'
import { freePort, isListening } from './port.ts'
import { run, type ServerProcess, startServer } from './process.ts'
import { createBucket, listingPage, type S3Credentials, type S3Server } from './s3-server.ts'
import { tempFolder } from './temp-folder.ts'

export interface CephUser extends S3Credentials {
  /** For the `Principal` of a bucket policy. */
  arn: string
}

export interface CephServer extends S3Server {
  process: ServerProcess
  /** Somebody else, who owns nothing: may do only what a bucket's policy says. */
  createUser(): Promise<CephUser>
  /**
   * A role that lends whoever is trusted these permissions, or all that S3 has, through the security token
   * service at the same endpoint. Returns its ARN. Only with `lendsRoles`.
   */
  createRole(trusted: CephUser, policy?: object): Promise<string>
}

/**
 * One monitor, one object store in memory (2 GiB) and the gateway. It checks signatures and has multipart
 * uploads, versions, policies and object lock; with `lendsRoles` also a security token service, at the price of an
 * AccessDenied for any wrong key.
 */
export async function startCeph({ lendsRoles = false } = {}): Promise<CephServer> {
  const root = rootOf('ceph')
  const binaries = join(root, 'usr/bin')
  const libraries = join(root, 'usr/lib', architecture().triplet)
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('ceph'))
  const [port, monitorPort] = await Promise.all([freePort(), freePort()])
  const cluster = randomUUID()
  const [data, osdData] = await Promise.all(
    ['mon', 'osd', 'rgw', 'run'].map((name) => folder.makeFolder(name)),
  )
  const settings = await folder.write(
    'ceph.conf',
    `[global]
fsid = ${cluster}
mon_host = v2:127.0.0.1:${monitorPort}
public_network = 127.0.0.0/8
ms_bind_msgr1 = false
keyring = ${folder.path}/keyring
run_dir = ${folder.path}/run
admin_socket =
log_file = ${folder.path}/$name.log
mon_cluster_log_file = ${folder.path}/cluster.log
plugin_dir = ${libraries}/ceph
erasure_code_dir = ${libraries}/ceph/erasure-code
osd_class_dir = ${libraries}/rados-classes
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
paxos_propose_interval = 0.05
[mon]
mon_data = ${data}
mon_data_avail_warn = 1
mon_data_avail_crit = 1
[osd]
osd_data = ${osdData}
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_memory_target = 1073741824
osd_mclock_skip_benchmark = true
keyring = ${folder.path}/osd.keyring
[client]
rgw_data = ${folder.path}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_rados_pool_pg_num_min = 4
rgw_enable_usage_log = false
rgw_max_listing_results = ${listingPage}
${lendsRoles ? `rgw_s3_auth_use_sts = true\nrgw_sts_key = ${randomBytes(8).toString('hex')}\n` : ''}`,
  )
  const program = (name: string, ...args: string[]) => ({
    file: join(binaries, name),
    args,
    folder: folder.path,
    // What it would still write, nobody reads.
    stopSignal: 'SIGKILL' as const,
  })
  const configured = (name: string, ...args: string[]) => program(name, '-c', settings, ...args)
  // Without cephx the gateway never gets past its first request for a ticket.
  const osdKey = (await run(program('ceph-authtool', '--gen-print-key'))).trim()
  await run(program('ceph-authtool', '-C', 'keyring', '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *'))
  const everything = ['mon', 'osd', 'mgr'].flatMap((name) => ['--cap', name, 'allow *'])
  await run(program('ceph-authtool', 'keyring', '--gen-key', '-n', 'client.admin', ...everything))
  await folder.write('osd.keyring', `[osd.0]\nkey = ${osdKey}\n`)
  await folder.write('osd.json', JSON.stringify({ cephx_secret: osdKey }))
  await run(
    program(
      'monmaptool',
      '--create',
      '--addv',
      'a',
      `v2:127.0.0.1:${monitorPort}`,
      '--fsid',
      cluster,
      'monmap',
    ),
  )
  await run(configured('ceph-mon', '-i', 'a', '--mkfs', '--monmap', 'monmap', '--keyring', 'keyring'))
  stack.use(
    await startServer({
      ...configured('ceph-mon', '-i', 'a', '-f'),
      name: 'mon',
      isReady: () => isListening(monitorPort),
    }),
  )
  const osdId = randomUUID()
  await run({
    ...program('python3', join(binaries, 'ceph'), '-c', settings, 'osd', 'new', osdId, '-i', 'osd.json'),
  })
  await run(configured('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osdId))
  stack.use(
    await startServer({ ...configured('ceph-osd', '-i', '0', '-f'), name: 'osd', isReady: async () => true }),
  )
  const endpoint = `http://127.0.0.1:${port}`
  const gateway = stack.use(
    await startServer({
      ...configured('radosgw', '-n', 'client.admin', '-f'),
      name: 'radosgw',
      isReady: async () => (await fetch(endpoint)).ok,
      readyWithin: 120_000,
    }),
  )
  const createUser = async () => {
    const name = `user-${randomBytes(4).toString('hex')}`
    const accessKeyId = randomBytes(10).toString('hex').toUpperCase()
    const secretAccessKey = randomBytes(20).toString('base64url')
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`]
    const names = [`--uid=${name}`, `--display-name=${name}`]
    await run(configured('radosgw-admin', '-n', 'client.admin', 'user', 'create', ...names, ...keys))
    return { accessKeyId, secretAccessKey, arn: `arn:aws:iam:::user/${name}` }
  }
  const createRole = async (
    trusted: CephUser,
    policy: object = allow({ Action: 's3:*', Resource: 'arn:aws:s3:::*' }),
  ) => {
    const name = `--role-name=role-${randomBytes(4).toString('hex')}`
    const admin = (...args: string[]) => run(configured('radosgw-admin', '-n', 'client.admin', ...args))
    const trust = allow({ Principal: { AWS: [trusted.arn] }, Action: 'sts:AssumeRole' })
    const role = await admin('role', 'create', name, `--assume-role-policy-doc=${JSON.stringify(trust)}`)
    await admin('role-policy', 'put', name, '--policy-name=all', `--policy-doc=${JSON.stringify(policy)}`)
    return (JSON.parse(role) as { Arn: string }).Arn
  }
  const owner = await createUser()
  const server = { endpoint, region: 'us-east-1', ...owner }
  const cleanUp = stack.move()
  return {
    ...server,
    process: gateway,
    createBucket: (options) => createBucket(server, options),
    createUser,
    createRole,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

function allow(statement: object): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] }
}
