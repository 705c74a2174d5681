/** Started by leftovers.test.ts to be killed: starts one of everything, says so, and waits. */
import { missingReason } from './needs.ts'
import { startCeph } from './ceph.ts'
import { startMariadb } from './mariadb.ts'
import { startPostgres } from './postgres.ts'
import { smallDisk } from './small-disk.ts'
import { startSshd } from './sshd.ts'

const has = (need: Parameters<typeof missingReason>[0]) => missingReason(need) === undefined

const disk = has('root') ? await smallDisk({ bytes: 1_000_000 }) : undefined
const started = await Promise.all([
  has('postgres15') && startPostgres({ major: 15 }),
  has('mariadb10.11') && startMariadb({ version: '10.11' }),
  has('ceph') && startCeph(),
  has('sshd') && startSshd(disk && { folder: disk.path }),
])
console.log(`started ${started.filter(Boolean).length}`)
setInterval(() => started, 60_000)
