import type { z } from 'zod'
import type { Command } from '../lib/process.ts'
import type { FoundTool, ToolNeed } from '../lib/tools.ts'
import type { AppError } from '../shared/errors.ts'

/**
 * A kind of database server. An engine asks servers and builds commands; it does not run the tools itself, so what
 * it builds can be compared with golden files. The runner runs them.
 *
 * `Connection` is the output of the `connection` schema, `Options` that of `dumpOptions`.
 */
export interface Engine<
  Connection extends z.ZodType = z.ZodType,
  Options extends z.ZodType = z.ZodType,
  RestoreSettings extends z.ZodType = z.ZodType,
> {
  label: string
  /** The URL schemes that the command line knows it by, without the colon; the first is the canonical one. */
  schemes: readonly string[]
  /**
   * The settings that a database URL and the environment stand for, and the database that it names, if any. Here unless
   * said otherwise.
   */
  fromUrl(
    url: string,
    environment: NodeJS.ProcessEnv,
    origin?: UrlOrigin,
  ): { connection: unknown; database: string | undefined }
  connection: Connection
  /** What may be chosen for a dump; strict, so that an option which this engine does not know is refused. */
  dumpOptions: Options
  /**
   * What of the database a dump with these options leaves out on purpose, in words: “without table logs”. A snapshot of
   * which something is left out replaces no database. Absent where nothing can be.
   */
  leftOut?(options: z.output<Options>): string[]
  restoreOptions: RestoreSettings
  /** The programs it uses, for `holdfast doctor` and the resolver. Empty if it needs none. */
  tools: readonly ToolNeed[]

  /** Reaches the server, signs in and says what it is. Every failure is explained: code, sentence, hint. */
  inspect(connection: z.output<Connection>, signal: AbortSignal): Promise<ServerFacts>
  /** The databases that can be backed up, sorted, without the system's own. A failed listing throws. */
  listDatabases(connection: z.output<Connection>, signal: AbortSignal): Promise<string[]>
  /** How a database is called in keys and lists, where its full name is a path. The name itself if absent. */
  shortName?(database: string): string
  /** The one name of a database that has several: a file’s whole path. Throws `invalid_input` for what is no name. */
  fullName?(connection: z.output<Connection>, database: string): string
  /** Throws `database_not_found` if there is no such database. */
  describe(connection: z.output<Connection>, database: string, signal: AbortSignal): Promise<DatabaseFacts>
  /** What the user lacks for a complete backup of the database, each with the statement that grants it. */
  missingPrivileges(
    connection: z.output<Connection>,
    database: string,
    signal: AbortSignal,
  ): Promise<MissingPrivilege[]>
  /** The same for many, where one connection can answer for all of them. Absent where each needs its own. */
  missingPrivilegesOfAll?(
    connection: z.output<Connection>,
    databases: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, MissingPrivilege[]>>
  /** The statements that create a user who can back up the database and change nothing. Empty where meaningless. */
  backupUserStatements(user: string, database: string, server: ServerFacts): string[]

  /** How the database becomes a stream of bytes. Throws `tool_missing`, naming tool, needed version and what was found. */
  dump(request: DumpRequest<z.output<Connection>, z.output<Options>>): Dump
  /** Recognises a complete dump of the format as its bytes go by, and learns what it contains. */
  readDump(format: string): DumpReader
  /**
   * The rows of one small table in a dump that lies in a file, each with its columns as text, without any server: to learn
   * what the dump is before anything is done with it. Undefined if it has no such table.
   */
  readTable?(request: TableRequest, signal: AbortSignal): Promise<Record<string, string | null>[] | undefined>
  /** How a dump's bytes become a database that exists already and is empty (or, for `existing`, is not). */
  restore(request: RestoreRequest<z.output<Connection>, z.output<RestoreSettings>>): Restore

  /**
   * What belongs to the server and to none of its databases, where the engine can dump it. A dump of this format is
   * applied to the server; `restore` refuses it.
   */
  globals?: {
    format: string
    /** “the roles and tablespaces of a server” */
    what: string
    restore(request: GlobalsRequest<z.output<Connection>, z.output<RestoreSettings>>): Restore
  }

  /**
   * How SQL of the user's own is run in a database: by a tool that reads it from standard input and stops at the first
   * statement that fails. It reaches the database alone: no program and no file of this machine. Absent where there is
   * no SQL.
   */
  runSql?(request: SqlRequest<z.output<Connection>>): SqlRun

  /** What the tool's last words mean, or undefined if they explain themselves. */
  explain(tool: string, stderr: string): AppError | undefined

  /**
   * Throws `invalid_input` if a database with this name is, or would be, the server's own or a template for others:
   * nobody restores into one, or into its place. Absent where the engine has none.
   */
  checkTarget?(connection: z.output<Connection>, database: string, signal: AbortSignal): Promise<void>
  /**
   * Throws `invalid_input` if the database is the one in which Holdfast keeps what it knows, or would lie among its files.
   * The server is asked, for one server has many names. Absent where Holdfast never keeps anything.
   */
  refuseOwn?(
    connection: z.output<Connection>,
    database: string,
    own: OwnPlaces,
    signal: AbortSignal,
  ): Promise<void>
  /** What the user seems to lack for a restore into the database, each with the statement that grants it. */
  missingForRestore(
    connection: z.output<Connection>,
    target: { database: string; mode: 'new' | 'replace' | 'existing'; exists: boolean },
    signal: AbortSignal,
  ): Promise<MissingPrivilege[]>
  databaseExists(connection: z.output<Connection>, database: string, signal: AbortSignal): Promise<boolean>
  /** Creates an empty database like the one that was dumped (encoding, collation, owner where the role exists). */
  createDatabase(
    connection: z.output<Connection>,
    database: string,
    like: Partial<DatabaseFacts>,
    signal: AbortSignal,
  ): Promise<void>
  /** Succeeds if it is already gone. Ends other sessions on it only when told to; else `database_in_use`. */
  dropDatabase(
    connection: z.output<Connection>,
    database: string,
    signal: AbortSignal,
    options?: { endSessions?: boolean },
  ): Promise<void>
  /** Absent where the engine cannot rename a database. `database_in_use` while others are connected. */
  renameDatabase?(
    connection: z.output<Connection>,
    from: string,
    to: string,
    signal: AbortSignal,
    options?: { endSessions?: boolean },
  ): Promise<void>
  /**
   * Where the engine cannot rename: a mark in a database under its final name, which says that it is only half restored.
   * `countRows` does not count it.
   */
  unfinishedMark?: {
    /** `writer` tells who restores, at most 80 characters. */
    set(
      connection: z.output<Connection>,
      database: string,
      writer: string,
      signal: AbortSignal,
    ): Promise<void>
    /** The writer; undefined if there is no mark. */
    read(connection: z.output<Connection>, database: string, signal: AbortSignal): Promise<string | undefined>
    clear(connection: z.output<Connection>, database: string, signal: AbortSignal): Promise<void>
  }
  /** True where renaming onto an existing database replaces it in one step. */
  renameReplaces?: boolean
  /**
   * Where it does not: in one step, which a crash cannot halve, `target` becomes `former` and `incoming` becomes
   * `target`. `database_in_use` while others are connected to either.
   */
  exchangeDatabases?(
    connection: z.output<Connection>,
    names: { incoming: string; target: string; former: string },
    signal: AbortSignal,
    options?: { endSessions?: boolean },
  ): Promise<void>
  /** A name, beside the given one, for a database that is being restored. Valid and unused. */
  besideName(database: string, token: string): string
  /** The names there are beside a database; those of `listDatabases` if absent. */
  listBeside?(connection: z.output<Connection>, database: string, signal: AbortSignal): Promise<string[]>
  /** Exact numbers of rows per table, by the same names as `DumpReader.finish().rows`. */
  countRows(
    connection: z.output<Connection>,
    database: string,
    signal: AbortSignal,
  ): Promise<Record<string, number>>
  /** The name by which `countRows` knows a table that was chosen for a restore; the same if absent. */
  countedName?(table: string): string
}

/**
 * Where a URL was written. `here`: on this machine, by whoever runs this process: the files that it names are read, and this
 * process stands for what it leaves out, a user or a folder. `elsewhere`: it says nothing about this machine, and learns
 * nothing of it; naming a file is `invalid_input`.
 */
export type UrlOrigin = 'here' | 'elsewhere'

export interface ServerFacts {
  /** `postgresql`, `mysql` or `mariadb`, `sqlite`. */
  flavour: string
  /** As people write it: `15.18`, `10.11.14`. */
  version: string
  /** The protocol version in use (`TLSv1.3`), or false if the connection is in the clear. */
  tls: string | false
  /** The user we are signed in as. */
  user?: string
  superuser?: boolean
  /** What else an engine wants to remember between inspect and dump. */
  details?: Record<string, string | number | boolean>
}

export interface DatabaseFacts {
  /** Size on the server, an estimate for room and progress; undefined where it cannot be asked. */
  bytes?: number
  encoding?: string
  collation?: string
  /** The engine's further facts that createDatabase needs: character type, locale provider, … */
  locale?: Record<string, string>
  owner?: string
  /** Settings attached to the database (`search_path`), none of which can hold a secret. */
  settings?: Record<string, string>
  /** What a person should know about a backup of it: “table x is MyISAM: not part of the consistent snapshot”. */
  warnings?: string[]
}

export interface MissingPrivilege {
  /** “read table public.orders” */
  what: string
  /** `GRANT SELECT ON TABLE public.orders TO backup` */
  grant: string
}

export interface DumpRequest<Connection, Options> {
  connection: Connection
  database: string
  server: ServerFacts
  facts: DatabaseFacts
  options: Options
  tools: readonly FoundTool[]
  /** An empty directory of this job alone, mode 0700, removed afterwards. */
  workDirectory: string
}

export interface Dump {
  /** What it is a dump of, where that is not the database, in a word that no database is called by: `@globals`. */
  subject?: string
  /** `custom`, `plain`, `directory`, `sqlite`: what `readDump` and `restore` get. */
  format: string
  /** Of the raw dump, with its dot: `.dump`, `.sql`, `.tar`, `.db`. */
  extension: string
  /** The tool that makes it, and its version. */
  tool: { name: string; version: string }
  source: DumpSource
  /** Secrets that the command names by path: written with mode 0600 before, removed after. */
  secretFiles?: Record<string, string>
  /** What this dump will not hold, although one could expect it to. */
  warnings?: string[]
  /**
   * Runs before the tool. Throws what the tool would pass over in silence: `nothing_matched`. Returns what a person should
   * know, in sentences: that something which was to be left out is not there.
   */
  check?(signal: AbortSignal): Promise<string[]>
}

export type DumpSource =
  /** The tool writes the dump to standard output; the `filter` leaves out of it what the tool cannot. */
  | { from: 'stdout'; command: Command; filter?: Filter }
  /** The tool insists on a directory; it is packed as tar, file by file. `bytes` is the room it will need. */
  | { from: 'directory'; command: Command; directory: string; bytes: number }
  /** The engine insists on a file. `bytes` is the room it will need. */
  | { from: 'file'; path: string; bytes: number; make(signal: AbortSignal): Promise<DumpContents> }

/** What a dump turned out to contain. */
export interface DumpContents {
  /** Exact rows per table, where the dump yields them. Names as the engine writes them: `public.orders`. */
  rows?: Record<string, number>
  /** The place in the server's log that the dump corresponds to. */
  position?: Record<string, string>
  /** What a person should know about this dump, in sentences: rows without their parent, … */
  warnings?: string[]
}

export interface DumpReader {
  update(bytes: Uint8Array): void
  /** Throws `dump_incomplete` unless the dump ended as its format ends. */
  finish(): DumpContents
}

export interface RestoreRequest<Connection, Options> {
  connection: Connection
  /** Exists, except for engines whose database is a file. */
  database: string
  server: ServerFacts
  format: string
  /** Of the tool that made the dump, as the manifest says; undefined for a foreign file. */
  madeBy?: { tool: string; version: string; serverVersion: string }
  options: Options
  /** `existing`: objects are added to a database that has its own. */
  mode: 'empty' | 'existing'
  tools: readonly FoundTool[]
  workDirectory: string
  /** Size of the raw dump, for room. */
  rawBytes: number
  /**
   * SQL that runs first, in the transaction of the restore: it takes away what the dump brings anew. For engines that restore
   * by SQL, and in one transaction.
   */
  first?: string
}

export interface TableRequest {
  path: string
  format: string
  /** Without a schema. */
  table: string
  /** In which it is, where there are schemas; any if absent. */
  schema?: string | undefined
  tools: readonly FoundTool[]
}

/** The server alone is the target. */
export type GlobalsRequest<Connection, Options> = Omit<
  RestoreRequest<Connection, Options>,
  'database' | 'mode'
>

export interface Restore {
  target: RestoreTarget
  secretFiles?: Record<string, string>
  /** Runs when the file, or the directory, that a tool insists on is complete, before the tool. */
  prepare?(signal: AbortSignal): Promise<void>
  /** Runs when the tool is done, before success is claimed: SQLite's integrity check. */
  check?(signal: AbortSignal): Promise<void>
}

export interface SqlRequest<Connection> {
  connection: Connection
  database: string
  server: ServerFacts
  tools: readonly FoundTool[]
  workDirectory: string
}

export type SqlRun = StdinTarget & { secretFiles?: Record<string, string> }

/** Where Holdfast itself keeps what it knows. */
export interface OwnPlaces {
  dataDirectory: string
  /** The name of a folder in it in which nothing is Holdfast's own: samples to play with. */
  sampleFolder?: string
  store: OwnStore
}

export type OwnStore =
  | { engine: 'sqlite'; path: string }
  /** The microsecond in which its server was started, and the number that it has there. */
  | { engine: 'postgresql'; serverStartedAt: string; oid: string }

/** A stage that passes the bytes on, changed. */
export type Filter = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

/** A filter that may also ask the server, which it gives up when the signal aborts. */
export type RestoreFilter = (
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>

/** A tool that reads standard input; `through` are the stages before it: a program or a filter of ours. */
export interface StdinTarget {
  command: Command
  through?: (Command | RestoreFilter)[]
}

export type RestoreTarget =
  | ({ into: 'stdin' } & StdinTarget)
  /** The tool insists on a seekable file. */
  | { into: 'file'; path: string; command?: Command }
  /** The tool insists on a directory: the tar is unpacked first. What it writes goes to `script`, if there is one. */
  | { into: 'directory'; directory: string; command: Command; script?: StdinTarget }

/** Ties an engine's schemas to the types of its methods. */
export function defineEngine<C extends z.ZodType, O extends z.ZodType, R extends z.ZodType>(
  engine: Engine<C, O, R>,
): Engine<C, O, R> {
  return engine
}
