import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startSshd } from '../servers/sshd.ts'
import { type Bench, type Candidate, emptying } from './bench.ts'
import { holdfast } from './measure.ts'
import { postgresWith } from './postgresql.ts'
import { openBucket } from './s3.ts'

/** Shares of 1 GB: the smallest is a hundredth of the largest, and should need as much memory. */
const sizes = [0.02, 0.2, 2]

/** Where to, and how what was written goes away again. */
interface Target {
  TO: string
  env: Record<string, string>
  empty: () => Promise<void>
}

const targets: Record<string, { needs: Candidate['needs']; open: (bench: Bench) => Promise<Target> }> = {
  folder: {
    needs: [],
    async open(bench) {
      const TO = await bench.folder('to')
      return { TO, env: {}, empty: emptying(TO) }
    },
  },
  s3: {
    needs: ['swift'],
    async open(bench) {
      const { url, env, empty } = await openBucket(bench)
      return { TO: url, env, empty }
    },
  },
  sftp: { needs: ['sshd'], open: openSftp },
}

/** One round each, nothing to compare with: the peaks of the three sizes are to be alike. */
export const memory: readonly Candidate[] = Object.entries(targets).flatMap(([kind, { needs, open }]) =>
  sizes.map((size) => ({
    name: `memory-${kind}-${size}`,
    needs: ['postgres15' as const, ...needs],
    async prepare(bench: Bench) {
      const { env, url } = await postgresWith(bench, size)
      const target = await open(bench)
      return {
        name: `memory-${kind}-${size}`,
        what: `memory: ${(size * 1000 * bench.scale).toFixed(0)} MB → ${kind}`,
        against: '–',
        goal: {},
        rounds: 1,
        holdfast: {
          script: `${holdfast} backup once "$URL" --to "$TO" --quiet`,
          env: { ...env, ...target.env, URL: url, TO: target.TO },
        },
        after: target.empty,
      }
    },
  })),
)

async function openSftp(bench: Bench): Promise<Target> {
  const server = await bench.share('sshd', async () => bench.keep(await startSshd()))
  const keyFile = join(await bench.folder('sftp-key'), 'key')
  await writeFile(keyFile, server.privateKey, { mode: 0o600 })
  const hostKey = encodeURIComponent(server.hostKeyFingerprint)
  return {
    TO: `sftp://${server.user}@${server.host}:${server.port}${server.folder}?host-key=${hostKey}`,
    env: { HOLDFAST_VOLUME_PRIVATE_KEY_FILE: keyFile },
    empty: async () => {},
  }
}
