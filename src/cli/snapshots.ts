import { Command } from 'commander'
import { findSnapshot, listSnapshots, type StoredSnapshot } from '../runner/manifests.ts'
import { AppError } from '../shared/errors.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { interruption } from './interruption.ts'
import { errorJson, note, print, printJson, table } from './terminal.ts'
import {
  downloadKnown,
  listKnown,
  type ListOptions,
  lockKnown,
  removeKnown,
  showKnown,
  verifyKnown,
} from './snapshots-of-app.ts'
import { positiveInteger } from './parse.ts'
import { withVolume } from './with-volume.ts'

interface Options {
  on?: string
  database?: string
  json?: boolean
}

const onVolume = [
  '--on <volume-url>',
  'what is on this volume, from its manifests alone, without any app',
] as const
const snapshotArgument = ['<snapshot>', 'its id, or the first eight or more characters of it'] as const

export const snapshots = new Command('snapshots')
  .description('Snapshots: those that the app knows, or those on one volume')
  .addCommand(
    new Command('ls')
      .description('List the snapshots, newest first')
      .option(...onVolume)
      .option('--database <name>', 'only those of this database')
      .option('--server <id>', 'only those of this server (of the app)')
      .option('--plan <id>', 'only those of this plan, or of none (of the app)')
      .option('--search <text>', 'in names, comments and keys (of the app)')
      .option('--limit <n>', 'so many (of the app; default: 50)', positiveInteger)
      .option('--json', 'print the result as JSON')
      .action(async ({ on, ...options }: Options & ListOptions) => {
        if (on === undefined) await listKnown(options)
        else await withVolume(on, (volume) => list(volume, options))
      }),
  )
  .addCommand(
    new Command('show')
      .description('Show everything about one snapshot')
      .argument('<snapshot>', 'its id, the first eight or more characters of it, or, on a volume, its key')
      .option(...onVolume)
      .option('--json', 'print the result as JSON')
      .action(async (snapshot: string, { on, ...options }: Options) => {
        if (on === undefined) await showKnown(snapshot, options)
        else await withVolume(on, (volume) => show(volume, snapshot, options))
      }),
  )
  .addCommand(
    new Command('verify')
      .description('Read all copies from the first byte to the last, and prove that they are what was stored')
      .argument(...snapshotArgument)
      .option('--json', 'print the job as JSON')
      .option('-q, --quiet', 'no progress')
      .action(verifyKnown),
  )
  .addCommand(
    new Command('lock')
      .description('Keep a snapshot from being deleted, by anybody and by retention')
      .argument(...snapshotArgument)
      .option('--until <time>', 'ISO 8601, as in 2027-01-01T00:00:00Z (default: until it is unlocked)')
      .option('--json', 'print the snapshot as JSON')
      .action((snapshot: string, { until, ...options }: { until?: string; json?: boolean }) =>
        lockKnown(snapshot, until ?? true, options),
      ),
  )
  .addCommand(
    new Command('unlock')
      .description('Let retention decide about a snapshot again')
      .argument(...snapshotArgument)
      .option('--json', 'print the snapshot as JSON')
      .action((snapshot: string, options: { json?: boolean }) => lockKnown(snapshot, false, options)),
  )
  .addCommand(
    new Command('rm')
      .description('Delete snapshots from all volumes; shows what would go, unless --yes is said')
      .argument('<snapshot...>', 'their ids')
      .option('--yes', 'delete them')
      .option('--newest', 'also the newest good one of a database')
      .option('--json', 'print the result as JSON')
      .action(removeKnown),
  )
  .addCommand(
    new Command('download')
      .description('Save the object as it is stored, or the dump in it')
      .argument(...snapshotArgument)
      .option('-o, --output <file>', 'where to (default: standard output)')
      .option('--plain', 'decrypted and decompressed on the way')
      .option('--volume <id>', 'from this volume (default: the best one)')
      .action(downloadKnown),
  )

type Volume = Parameters<typeof listSnapshots>[0]

async function list(volume: Volume, options: Options): Promise<void> {
  const listing = await listSnapshots(volume, interruption())
  const chosen = listing.snapshots.filter(
    ({ manifest }) => options.database === undefined || manifest.database === options.database,
  )
  if (listing.snapshots.length + listing.unreadable.length === 0) await mustBeThere(volume)
  if (options.json) {
    printJson({
      snapshots: chosen.map(({ key, manifest, object }) => ({
        key,
        complete: isComplete({ key, manifest, object }),
        ...manifest,
      })),
      unreadable: listing.unreadable.map(({ key, error }) => ({ key, error: errorJson(error) })),
    })
    return
  }
  if (chosen.length === 0) note(`No snapshots on ${volume.location}.`)
  else print(table(HEAD, chosen.map(row)))
  for (const { error } of listing.unreadable) note(`warning: ${error.message}`)
}

/** A mistyped path must not look like an empty volume. */
async function mustBeThere(volume: Volume): Promise<void> {
  if ((await volume.isThere?.(interruption())) ?? true) return
  throw new AppError('object_not_found', `There is no folder ${volume.location}.`, {
    hint: 'Check the path. A backup makes the folder with its first snapshot.',
  })
}

const HEAD = ['SNAPSHOT', 'TAKEN (UTC)', 'SERVER', 'DATABASE', 'ENGINE', 'STORED ', 'RAW ', 'WRAPPED', 'KEY']

function row(snapshot: StoredSnapshot): string[] {
  const { manifest, key } = snapshot
  const wrapped = [manifest.compression.method, manifest.encryption?.method ?? '-'].join(' + ')
  return [
    manifest.snapshot,
    manifest.startedAt.slice(0, 19).replace('T', ' '),
    manifest.server.name,
    manifest.database,
    `${manifest.server.flavour} ${manifest.server.version}`,
    isComplete(snapshot) ? formatBytes(manifest.stored.bytes) : 'MISSING',
    formatBytes(manifest.raw.bytes),
    wrapped,
    key,
  ]
}

/** The object is there, with the size that the manifest says. */
function isComplete({ manifest, object }: StoredSnapshot): boolean {
  return object !== 'missing' && object.bytes === manifest.stored.bytes
}

async function show(volume: Volume, idOrKey: string, options: Options): Promise<void> {
  const { key, manifest } = await findSnapshot(volume, idOrKey, interruption())
  if (options.json) {
    printJson({ key, ...manifest })
    return
  }
  const { server, raw, stored, encryption, rows = {} } = manifest
  const facts: [string, string | undefined][] = [
    ['snapshot', manifest.snapshot],
    ['key', key],
    ['database', manifest.database],
    ['server', `${server.name} (${server.flavour} ${server.version})`],
    ['taken', `${manifest.startedAt}, finished ${manifest.finishedAt}`],
    ['by', `${manifest.tool.name} ${manifest.tool.version}, format ${manifest.format}`],
    ['left out', manifest.partial?.join(', ')],
    ['stored', `${formatBytes(stored.bytes)} (${stored.bytes} bytes), SHA-256 ${stored.sha256}`],
    ['raw', `${formatBytes(raw.bytes)} (${raw.bytes} bytes), SHA-256 ${raw.sha256}`],
    ['compression', manifest.compression.method],
    [
      'encryption',
      encryption ? `${encryption.method}, key ${encryption.keyId} ${encryption.fingerprint ?? ''}` : 'none',
    ],
    ['trigger', manifest.trigger],
    ['comment', manifest.comment],
    [
      'phases',
      Object.entries(manifest.seconds)
        .map(([phase, seconds]) => `${phase} ${formatSeconds(seconds)}`)
        .join(', '),
    ],
    ...(manifest.warnings ?? []).map((warning): [string, string] => ['warning', warning]),
  ]
  for (const [name, value] of facts) if (value) print(`${name.padEnd(12)} ${value}`)
  const counted = Object.entries(rows).sort(([a], [b]) => a.localeCompare(b))
  if (counted.length > 0) {
    print()
    print(
      table(
        ['TABLE', 'ROWS '],
        counted.map(([name, count]) => [name, String(count)]),
      ),
    )
  }
}
