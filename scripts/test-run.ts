/**
 * Runs the tests, with their temporary files in memory where there is enough of it.
 *
 *   node scripts/test-run.ts                 all of them
 *   node scripts/test-run.ts <file> ...      these alone
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { togetherFiles } from '../test/app/together.ts'

/** Their files take up to 2 GiB; the rest is for what runs. */
const ENOUGH_MEMORY = 8 * 2 ** 30
/** Linux: include/uapi/linux/magic.h */
const TMPFS_MAGIC = 0x01021994

const root = join(import.meta.dirname, '..')
const named = process.argv.slice(2)
const temporary = mkdtempSync(join(hasRoomInMemory() ? '/dev/shm' : tmpdir(), 'holdfast-tests-'))
console.log(`The tests have their temporary files in ${temporary}.`)
try {
  // Like /tmp: servers run as another user.
  chmodSync(temporary, 0o1777)
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=64',
      '--test',
      '--test-concurrency=3',
      '--test-timeout=600000',
      ...(named.length > 0 ? named : allFiles()),
    ],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        TMPDIR: temporary,
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/holdfast-tests'),
      },
    },
  )
  // Control-C reaches the runner too; it says what it has seen, and ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  await once(child, 'exit')
  process.exitCode = child.exitCode ?? 1
} finally {
  rmSync(temporary, { recursive: true, force: true, maxRetries: 20 })
}

/** Each once: what runs together is not run by itself too. The long ones begin. */
function allFiles(): string[] {
  const files = ['test/app', 'src', 'test'].flatMap((folder) =>
    globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort(),
  )
  return [...new Set(files).difference(new Set(togetherFiles()))]
}

/**
 * Whether there is enough memory for files. On a disk, ext4 looks for a free inode past all that were freed in the last
 * minutes: the thousands of files that tests make and delete would cost as much time as the tests.
 */
function hasRoomInMemory(): boolean {
  try {
    const { type, bavail, bsize } = statfsSync('/dev/shm')
    const [, available] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? []
    return type === TMPFS_MAGIC && Math.min(bavail * bsize, Number(available) * 1024) >= ENOUGH_MEMORY
  } catch {
    return false // no Linux
  }
}
