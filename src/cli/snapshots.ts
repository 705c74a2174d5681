import { Command } from 'commander'
import { findSnapshot, listSnapshots, type StoredSnapshot } from '../runner/manifests.ts'
import { AppError } from '../shared/errors.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { interruption } from './interruption.ts'
import { errorJson, note, print, printJson, table } from './terminal.ts'
import { withVolume } from './with-volume.ts'

interface Options {
  on: string
  database?: string
  json?: boolean
}

export const snapshots = new Command('snapshots')
  .description('What is on a volume, read from the manifests alone')
  .addCommand(
    new Command('ls')
      .description('List the snapshots, newest first')
      .requiredOption('--on <volume-url>', 'the volume')
      .option('--database <name>', 'only those of this database')
      .option('--json', 'print the result as JSON')
      .action((options: Options) => withVolume(options.on, (volume) => list(volume, options))),
  )
  .addCommand(
    new Command('show')
      .description('Show everything about one snapshot')
      .argument('<snapshot>', 'its id, the first eight or more characters of it, or its key')
      .requiredOption('--on <volume-url>', 'the volume')
      .option('--json', 'print the manifest as JSON')
      .action((snapshot: string, options: Options) =>
        withVolume(options.on, (volume) => show(volume, snapshot, options)),
      ),
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
