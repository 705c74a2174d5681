import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DumpReader, Engine } from '../engines/engine.ts'
import { engines } from '../engines/index.ts'
import { ownToken } from '../lib/identity.ts'
import type { Command } from '../lib/process.ts'
import { AppError } from '../shared/errors.ts'
import { openVolumeUrl } from '../volumes/index.ts'
import type { Volume } from '../volumes/volume.ts'
import type { JobContext } from './job.ts'
import type { SnapshotOrder } from './take-snapshot.ts'

/** A dump of `engineRunning` is complete when it has so many bytes. */
export const DUMP_BYTES = 5_242_880

let folder: string | undefined
let count = 0

/** An empty volume in a temporary folder that goes with this process. */
export function newVolume(): { volume: Volume; path: string } {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'holdfast-runner-'))
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  const path = join(folder, `volume-${++count}`)
  return { volume: openVolumeUrl(path, {}).volume, path }
}

/** Everything that lies on a volume; an absent folder holds nothing. */
export async function contents(path: string): Promise<string[]> {
  const names: string[] = await readdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.sort()
}

/** The same volume, but snapshots are written to it as told; notes are written as ever. */
export function writing(volume: Volume, write: Volume['write']): Volume {
  return {
    ...volume,
    write: (key, ...rest) => (key.startsWith('.holdfast') ? volume.write(key, ...rest) : write(key, ...rest)),
  }
}

export function sh(script: string): Command {
  return { file: '/bin/sh', args: ['-c', script] }
}

/** An engine whose tool is one of the programs in test/misbehaving, or another, and whose dumps have 5 MiB. */
export function engineRunning(tool: string | Command, more: Partial<Engine> = {}): Engine {
  const command =
    typeof tool === 'string'
      ? { file: misbehaving(tool), args: [], env: { BYTES: String(DUMP_BYTES) } }
      : tool
  return {
    ...(engines.sqlite as unknown as Engine),
    inspect: async () => ({ flavour: 'test', version: '1', tls: false }),
    describe: async () => ({ bytes: DUMP_BYTES }),
    dump: () => ({
      format: 'plain',
      extension: '.sql',
      tool: { name: 'test', version: '1' },
      source: { from: 'stdout', command },
    }),
    readDump,
    ...more,
  }
}

function misbehaving(name: string): string {
  return fileURLToPath(new URL(`../../test/misbehaving/${name}`, import.meta.url))
}

function readDump(): DumpReader {
  let bytes = 0
  return {
    update: (chunk) => void (bytes += chunk.length),
    finish() {
      if (bytes !== DUMP_BYTES) throw new AppError('dump_incomplete', `The dump ends after ${bytes} bytes.`)
      return { rows: { zeros: bytes } }
    },
  }
}

export function order(engine: Engine, volumes: Volume[], more: Partial<SnapshotOrder> = {}): SnapshotOrder {
  return {
    engine,
    engineName: 'sqlite',
    connection: {},
    database: 'shop',
    dumpOptions: {},
    serverName: 'prod',
    compression: { method: 'zstd', level: 3, threads: 1 },
    keys: {
      instanceKeys: ['base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='],
      ageIdentities: [],
      agePassphrases: ['correct horse'],
    },
    volumes: volumes.map((volume, i) => ({ name: `volume ${i + 1}`, volume })),
    trigger: 'manual',
    stallAfter: 60_000,
    ...more,
  }
}

export function job(signal = new AbortController().signal): JobContext & { lines: string[] } {
  const lines: string[] = []
  return {
    signal,
    lines,
    log: (level, message) => void lines.push(`${level}: ${message}`),
    progress: () => {},
  }
}

/** The token in the text becomes that of a process with our pid that began at another time, and so is over. */
export function ofDeadProcess(text: string): string {
  return text.replace(ownToken(), ownToken().replace(/\d+$/, '1'))
}

/** The token in the text becomes that of a process of another machine. */
export function ofAnotherMachine(text: string): string {
  return text.replace(ownToken(), 'ffffffffffff-1-1')
}
