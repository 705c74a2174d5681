import { Command } from 'commander'
import { openDatabaseUrl, parseSettings, type OpenedServer } from '../engines/index.ts'
import { refuseSamePlace, type NamedVolume } from '../runner/copies.ts'
import { prepareSeal, type EncryptionChoice } from '../runner/encryption.ts'
import type { JobContext } from '../runner/job.ts'
import { takeSnapshot, type TakenSnapshot } from '../runner/take-snapshot.ts'
import { listDatabases } from '../runner/unfinished-restores.ts'
import { sweepUnfinished } from '../runner/writing.ts'
import { parseCompression } from '../shared/codecs.ts'
import { AppError, asAppError, messageOf } from '../shared/errors.ts'
import { DEFAULT_FILE_NAME, DEFAULT_PATH, keyFor } from '../shared/keys.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { maskUrl } from '../volumes/index.ts'
import { keyRing } from './environment.ts'
import { interruption, interruptionReason } from './interruption.ts'
import { collect, positiveInteger, text, word, words } from './parse.ts'
import { describeError, errorJson, jobContext, note, print, printJson, warnOfPassword } from './terminal.ts'
import { closeVolume, openTold } from './with-volume.ts'

/** In characters. */
const MAX_COMMENT = 2000
const MAX_TRIGGER = 60

export const backupOnce = new Command('once')
  .description('Back up databases now, without any app: for cron, containers, and trying things out')
  .argument('<database-url>', 'postgresql://user@host/db · mysql://… · mariadb://… · sqlite:path')
  .requiredOption(
    '--to <volume-url>',
    'a folder, s3://bucket/prefix, sftp://user@host/path; may be repeated',
    collect,
  )
  .option(
    '--database <name>',
    'which database, instead of the one in the URL; may be repeated',
    words('--database'),
  )
  .option('--all', 'every database of the server')
  .option('--globals', 'PostgreSQL: the roles and tablespaces, as a snapshot of their own')
  .option(
    '--server <name>',
    'what to call the server in keys and manifests (default: its host)',
    word('--server'),
  )
  .option('--format <format>', 'PostgreSQL: custom, plain or directory')
  .option('--jobs <n>', 'PostgreSQL: dump so many tables at once (directory format)', positiveInteger)
  .option('--table <name>', 'only this table; may be repeated', words('--table'))
  .option(
    '--exclude-table <name>',
    'leave this table out; * stands for anything; may be repeated',
    words('--exclude-table'),
  )
  .option(
    '--exclude-table-data <name>',
    'keep this table’s definition only; may be repeated',
    words('--exclude-table-data'),
  )
  .option('--tool-options <text>', 'further options for the dump tool, as one text')
  .option('--compression <method>', 'none, gzip[:1-9], zstd[:1-19[:threads]]', 'zstd')
  .option('--encryption <method>', 'none, 7z, age:<recipient>[,<recipient>…], age:passphrase', 'none')
  .option('--path <template>', 'folder below the volume; . for none', word('--path'), DEFAULT_PATH)
  .option('--name <template>', 'file name, without extension', word('--name'), DEFAULT_FILE_NAME)
  .option('--comment <text>', 'kept in the manifest', text('--comment', MAX_COMMENT))
  .option('--trigger <word>', 'why it runs, for the manifest', word('--trigger', MAX_TRIGGER), 'manual')
  .option(
    '--release <version>',
    'the {version} of a release that is about to change the database',
    word('--release'),
  )
  .option('--stall-after <minutes>', 'give up when no byte has moved for so long', positiveInteger, 30)
  .option('--json', 'print the result as JSON')
  .option('-q, --quiet', 'no progress')
  .option('-v, --verbose', 'show the log of the job')
  .action(async (url: string, options: Options) => {
    process.exitCode = await backUp(url, options)
  })

interface Options {
  to: string[]
  database?: string[]
  all?: boolean
  globals?: boolean
  server?: string
  format?: string
  jobs?: number
  table?: string[]
  excludeTable?: string[]
  excludeTableData?: string[]
  toolOptions?: string
  compression: string
  encryption: string
  path: string
  name: string
  comment?: string
  trigger: string
  release?: string
  stallAfter: number
  json?: boolean
  quiet?: boolean
  verbose?: boolean
}

/** Backs up each database in turn; one that fails does not stop the others. Returns the exit code. */
async function backUp(url: string, options: Options): Promise<number> {
  // Everything that can be wrong with the words is told before anything is reached.
  const server = openDatabaseUrl(url, process.env)
  if (options.all && options.database) {
    throw new AppError(
      'invalid_input',
      '--all is every database: --database beside it would choose nothing.',
      {
        hint: 'Leave one of them out.',
      },
    )
  }
  const form = {
    dumpOptions: dumpOptionsOf(server, options),
    compression: parseCompression(options.compression),
    encryption: parseEncryption(options.encryption),
    keys: await keyRing(),
    serverName: options.server ?? server.host ?? server.engineName,
    path: options.path,
    fileName: options.name,
    trigger: options.trigger,
    releaseVersion: options.release,
    comment: options.comment,
    stallAfter: options.stallAfter * 60_000,
  }
  keyFor({ server: form.serverName, database: 'x', at: new Date() }, options.path, options.name)
  await prepareSeal(form.encryption, form.keys)
  const volumes = openVolumes(options.to)
  warnOfPassword(url)

  const signal = interruption()
  const job = jobContext(signal, options)
  const taken: TakenSnapshot[] = []
  const failures: Failure[] = []
  let unswept: Unswept[] = []
  try {
    const subjects = await chooseSubjects(server, options, signal)
    unswept = await sweep(volumes, job)
    for (const { database, ...more } of subjects) {
      try {
        taken.push(await takeSnapshot({ ...server, ...form, ...more, database, volumes }, job))
      } catch (error) {
        // Those that were not reached have the interruption for an error too: connecting gives up at once.
        failures.push({ database, error: asAppError(error) })
      }
    }
  } finally {
    job.done()
    await Promise.all(volumes.map(({ volume }) => closeVolume(volume)))
  }
  warnOfUnswept(unswept, taken)
  if (options.json) printJson({ snapshots: taken.map(snapshotJson), failures: failures.map(failureJson) })
  else {
    taken.forEach(describe)
    failures.forEach(({ database, error }) => note(`holdfast: ${database}: ${describeError(error)}`))
  }
  const [failure] = failures
  if (failure) return (interruptionReason() ?? failure.error).exitCode
  return taken.some(({ state }) => state === 'partial') ? EXIT_PARTIAL : 0
}

const EXIT_PARTIAL = 3

interface Failure {
  database: string
  error: AppError
}

function openVolumes(urls: readonly string[]): NamedVolume[] {
  const volumes = urls.map((url) => ({ name: maskUrl(url), volume: openTold(url) }))
  refuseSamePlace(volumes)
  return volumes
}

/** What to back up: databases, and the globals with the options that ask for them. */
async function chooseSubjects(
  server: OpenedServer,
  options: Options,
  signal: AbortSignal,
): Promise<{ database: string; dumpOptions?: unknown }[]> {
  const { engine } = server
  const onlyGlobals = options.globals && !options.all && !options.database && server.database === undefined
  const databases = onlyGlobals ? [] : await chooseDatabases(server, options, signal)
  const subjects = databases.map((database) => ({ database }))
  if (!options.globals) return subjects
  const dumpOptions = parseSettings(engine.dumpOptions, { globals: true }, `the options for ${engine.label}`)
  const [reachable] = databases.length > 0 ? databases : (await listDatabases(server, signal)).databases
  if (reachable === undefined)
    throw new AppError('nothing_matched', 'The server has no database to sign in to.')
  return [...subjects, { database: reachable, dumpOptions }]
}

async function chooseDatabases(
  server: OpenedServer,
  options: Options,
  signal: AbortSignal,
): Promise<string[]> {
  if (options.all) {
    const { databases: all, besides } = await listDatabases(server, signal)
    for (const name of besides) {
      note(
        `warning: “${name}” is of a restore that runs, or was interrupted, and is not backed up with the others.`,
      )
    }
    if (all.length > 0) return all
    throw new AppError('nothing_matched', 'The server has no database that this user can see.', {
      hint: 'holdfast test <database-url> shows what the user lacks.',
    })
  }
  const named = options.database ?? (server.database === undefined ? [] : [server.database])
  if (named.length > 0) return [...new Set(named)]
  const { databases: all } = await listDatabases(server, signal)
  throw new AppError('invalid_input', 'Which database? The URL names none.', {
    hint: `--database <name>, or --all for ${all.length === 0 ? 'every one' : all.slice(0, 10).join(', ')}${all.length > 10 ? ', …' : ''}`,
  })
}

/** A volume that was not searched for leftovers, and why. */
interface Unswept {
  name: string
  why: string
}

/** Leftovers of killed runs go first. */
async function sweep(volumes: readonly NamedVolume[], job: JobContext): Promise<Unswept[]> {
  const unswept: Unswept[] = []
  await Promise.all(
    volumes.map(async ({ name, volume }) => {
      try {
        await sweepUnfinished(volume, job)
      } catch (error) {
        unswept.push({ name, why: messageOf(error) })
        job.log('info', `${name} could not be searched for leftovers: ${messageOf(error)}`)
      }
    }),
  )
  return unswept
}

/** A volume that cannot be reached has failed by itself since; one that took a snapshot has a trouble of its own. */
function warnOfUnswept(unswept: readonly Unswept[], taken: readonly TakenSnapshot[]): void {
  const stored = taken.flatMap(({ copies }) =>
    copies.filter(({ failure }) => !failure).map(({ name }) => name),
  )
  for (const { name, why } of unswept)
    if (stored.includes(name)) note(`warning: ${name} could not be searched for leftovers: ${why}`)
}

/** Only what was said, under the engine's own names; its schema refuses what it does not know. */
function dumpOptionsOf({ engine }: OpenedServer, options: Options): unknown {
  const said = Object.entries({
    format: options.format,
    jobs: options.jobs,
    tables: options.table,
    excludeTables: options.excludeTable,
    excludeTableData: options.excludeTableData,
    extra: options.toolOptions,
  }).filter(([, value]) => value !== undefined)
  return parseSettings(engine.dumpOptions, Object.fromEntries(said), `the options for ${engine.label}`)
}

function parseEncryption(text: string): EncryptionChoice | undefined {
  if (text === 'none') return undefined
  if (text === '7z') return { method: '7z' }
  if (text === 'age:passphrase') return { method: 'age', passphrase: true }
  const recipients = text.startsWith('age:') ? text.slice(4).split(',') : []
  if (recipients.length > 0) {
    return { method: 'age', recipients }
  }
  throw new AppError('invalid_input', `“${text}” is not an encryption.`, {
    hint: 'Use none, 7z, age:<recipient> (age1…), or age:passphrase.',
  })
}

function describe({ key, manifest, copies, state }: TakenSnapshot): void {
  const { raw, stored, database, snapshot, seconds, rows } = manifest
  const total = Object.values(seconds).reduce((sum, part) => sum + part, 0)
  const tables = rows ? ` · ${Object.keys(rows).length} tables` : ''
  print(
    `${state === 'partial' ? 'PARTLY backed up' : 'Backed up'} ${database}${tables} in ${formatSeconds(total)}`,
  )
  print(`  snapshot  ${snapshot}`)
  print(`  key       ${key}`)
  print(`  size      ${formatBytes(raw.bytes)} → ${formatBytes(stored.bytes)}`)
  print(`  sha256    ${stored.sha256}`)
  for (const { name, failure } of copies) {
    const [said, ...more] = failure ? `FAILED: ${describeError(failure)}`.split('\n') : ['stored']
    print(`  copy      ${name}: ${said}`)
    for (const line of more) print(`          ${line}`)
  }
}

/** The result for programs. Sizes in bytes. */
function snapshotJson({ key, manifest, copies, state }: TakenSnapshot): Record<string, unknown> {
  return {
    id: manifest.snapshot,
    database: manifest.database,
    state,
    key,
    storedBytes: manifest.stored.bytes,
    rawBytes: manifest.raw.bytes,
    sha256: manifest.stored.sha256,
    seconds: round(Object.values(manifest.seconds).reduce((sum, part) => sum + part, 0)),
    copies: copies.map(({ name, failure }) => ({
      volume: name,
      state: failure ? 'failed' : 'stored',
      ...(failure && { error: errorJson(failure) }),
    })),
    rows: manifest.rows,
    warnings: manifest.warnings,
    manifest: `${key}.manifest.json`,
  }
}

function failureJson({ database, error }: Failure): Record<string, unknown> {
  return { database, error: errorJson(error) }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
