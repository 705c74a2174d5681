import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from './needs.ts'
import { descendantsOf, isAlive } from './process-table.ts'
import { tempFolder } from './temp-folder.ts'

describe(
  'a test process that is killed',
  { skip: skipUnless('postgres15', 'mariadb10.11', 'ceph', 'sshd') },
  () => {
    it('leaves no server, no file, no mount and no user behind', async () => {
      await using folder = await tempFolder('killed')
      const temp = join(folder.path, 'temp')
      await mkdir(temp, { mode: 0o755 })
      const child = spawn(process.execPath, [join(import.meta.dirname, 'start-and-wait.ts')], {
        env: { ...process.env, TMPDIR: temp },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [said] = (await once(child.stdout, 'data')) as [Buffer]
      assert.equal(String(said), 'started 4\n')
      const servers = descendantsOf(child.pid ?? 0)
      const users = usersWithHomeIn(temp)
      assert.ok(servers.length > 4)
      assert.ok(readdirSync(temp).length >= 4)

      child.kill('SIGKILL')
      await once(child, 'exit')
      const left = () => [
        ...servers.filter(isAlive).map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
        ...readdirSync(temp),
        ...mountsIn(temp),
        ...usersWithHomeIn(temp),
        ...sharedMemoryOf(servers.map(({ pid }) => pid)),
      ]
      const giveUpAt = Date.now() + 10_000
      while (left().length > 0 && Date.now() < giveUpAt) await sleep(50)
      assert.deepEqual(left(), [])
      if (process.getuid?.() === 0) assert.equal(users.length, 1)
    })
  },
)

function mountsIn(folder: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder))
}

function usersWithHomeIn(folder: string): string[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder))
}

/** The segments of which one of the processes is the creator. */
function sharedMemoryOf(pids: number[]): string[] {
  const [, ...segments] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n')
  return segments.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[4])))
}
