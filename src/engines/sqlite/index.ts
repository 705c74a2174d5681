import { constants, existsSync, realpathSync, statSync } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { defineEngine, type MissingPrivilege } from '../engine.ts'
import { apart } from './apart.ts'
import { databasePath, sqliteConnection, sqliteFromUrl } from './connection.ts'
import { explain, notFound } from './explain.ts'
import { sqliteDumpReader } from './header.ts'
import { refuseInside, refuseSame } from './own-data.ts'
import { runSql } from './run-sql.ts'

/** Of SQLite itself, which is part of Node. */
const VERSION = process.versions.sqlite ?? 'unknown'
const INSPECTION_LIMIT = 10_000
/** What SQLite appends to the name of a database must still fit into the 255 bytes of a file name. */
const LONGEST_NAME = 255 - '-journal'.length

export const sqlite = defineEngine({
  label: 'SQLite',
  schemes: ['sqlite'],
  fromUrl: sqliteFromUrl,
  connection: sqliteConnection,
  dumpOptions: z.strictObject({}),
  restoreOptions: z.strictObject({
    content: z
      .enum(['all', 'schema', 'data'])
      .default('all')
      .meta({ title: 'Schema, data or both', description: 'Data alone is not possible with SQLite' }),
    tables: z
      .array(z.string().min(1))
      .default([])
      .meta({ title: 'Only these tables', description: 'With their indexes and triggers' }),
  }),
  tools: [],

  /** The server is this machine. A file that a restore is to make is not there yet. */
  async inspect({ path }, signal) {
    if (!existsSync(path)) return { flavour: 'sqlite', version: VERSION, tls: false }
    const { journalMode } = await describeInTime(path, signal)
    return { flavour: 'sqlite', version: VERSION, tls: false, details: { journalMode } }
  },

  async listDatabases({ path }) {
    await requireFile(path)
    return [path]
  },

  shortName: (database) => basename(database),
  fullName: databasePath,

  async describe(connection, database, signal) {
    const { bytes, encoding } = await describeInTime(databasePath(connection, database), signal)
    return { bytes, encoding }
  },

  async missingPrivileges(connection, database) {
    const path = databasePath(connection, database)
    await requireFile(path)
    const user = userInfo().username
    const missing: MissingPrivilege[] = []
    if (!(await isAllowed(path, constants.R_OK))) {
      missing.push({ what: `read ${path}`, grant: `setfacl -m u:${user}:r ${quoteForShell(path)}` })
    }
    return missing
  },

  /** File permissions decide, not users. */
  backupUserStatements: () => [],

  dump({ connection, database, facts, workDirectory }) {
    const source = databasePath(connection, database)
    const target = join(workDirectory, 'copy.db')
    return {
      format: 'sqlite',
      extension: '.db',
      tool: { name: 'sqlite', version: VERSION },
      source: {
        from: 'file',
        path: target,
        bytes: facts.bytes ?? sizeOf(source),
        make: (signal) => apart('copy', { source, target, workDirectory }, signal),
      },
    }
  },

  readDump: sqliteDumpReader,

  readTable: ({ path, table }, signal) =>
    apart('rows', { path, table }, signal).then((rows) => rows ?? undefined),

  restore({ connection, database, options, mode }) {
    const path = databasePath(connection, database)
    const { content, tables } = options
    if (content === 'data') {
      throw new AppError('unsupported', 'An SQLite dump cannot be restored without its schema.', {
        hint: 'The dump is the database file itself. Restore it under a new name and copy the rows from there with ATTACH.',
      })
    }
    if (mode === 'existing') {
      throw new AppError(
        'unsupported',
        'An SQLite dump cannot be restored into a database with other tables.',
        {
          hint: 'The dump is the database file itself. Restore it under a new name, or replace the file.',
        },
      )
    }
    return {
      target: { into: 'file', path },
      check: (signal) => apart('accept', { path, content, tables }, signal),
    }
  },

  runSql,

  /** No tool runs: what goes wrong is explained where it happens. */
  explain: () => undefined,

  async refuseOwn(connection, database, { dataDirectory, sampleFolder, store }) {
    const path = databasePath(connection, database)
    await refuseInside(path, dataDirectory, sampleFolder)
    if (store.engine === 'sqlite') await refuseSame(path, store.path)
  },

  async missingForRestore(connection, { database }) {
    const folder = dirname(databasePath(connection, database))
    if (await isAllowed(folder, constants.W_OK)) return []
    const grant = `setfacl -m u:${userInfo().username}:rwx ${quoteForShell(folder)}`
    return [{ what: `write in ${folder}`, grant }]
  },

  async databaseExists(connection, database) {
    return existsSync(databasePath(connection, database))
  },

  /** The file itself is made by the restore; this makes sure that it can be. */
  async createDatabase(connection, database) {
    const path = databasePath(connection, database)
    if (existsSync(path)) {
      throw new AppError('database_exists', `There is a file ${path} already.`, {
        hint: 'Choose another name, or the mode that replaces the file.',
      })
    }
    await access(dirname(path), constants.W_OK).catch((error: unknown) => {
      throw explain(error, dirname(path))
    })
  },

  async dropDatabase(connection, database, signal, options) {
    const path = databasePath(connection, database)
    await apart('remove', { path, force: options?.endSessions ?? false }, signal)
  },

  renameReplaces: true,

  /** Replaces what has the name already, in one step, keeping its owner and permissions. */
  async renameDatabase(connection, from, to, signal, options) {
    const request = { from: databasePath(connection, from), to: databasePath(connection, to) }
    await requireFile(request.from)
    await apart('replace', { ...request, force: options?.endSessions ?? false }, signal)
  },

  besideName(database, token) {
    const path = existsSync(database) ? realpathSync(database) : database
    const suffix = `.${token}`
    return join(dirname(path), `.${cut(basename(path), LONGEST_NAME - 1 - suffix.length)}${suffix}`)
  },

  async listBeside(connection, database) {
    const path = existsSync(database) ? realpathSync(database) : database
    const folder = dirname(path)
    return (await readdir(dirname(databasePath(connection, path)))).map((name) => join(folder, name))
  },

  countRows(connection, database, signal) {
    return apart('count', { path: databasePath(connection, database) }, signal)
  },
})

async function describeInTime(path: string, signal: AbortSignal) {
  const limit = AbortSignal.timeout(INSPECTION_LIMIT)
  try {
    return await apart('describe', { path }, AbortSignal.any([signal, limit]))
  } catch (error) {
    if (error !== limit.reason) throw error
    throw new AppError('database_unreachable', `${path} cannot be read within 10 seconds.`, {
      hint: 'Its disk, or the server that it is mounted from, does not answer.',
      cause: error,
    })
  }
}

async function requireFile(path: string): Promise<void> {
  const stats = await stat(path).catch((error: unknown) => {
    throw explain(error, path)
  })
  if (!stats.isFile()) throw notFound(path, new Error('it is not a regular file'))
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw explain(error, path)
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The longest beginning of the text that fits into so many bytes of UTF-8. */
function cut(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes))
  return text.slice(0, read)
}
