import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findTools, type FoundTool } from '../lib/tools.ts'
import { ToolFailure, type Command } from '../lib/process.ts'
// oxlint-disable-next-line no-restricted-imports -- this is test code: a dump is judged by what the runner makes of it
import { dumpBytes, writeSecretFiles } from '../runner/dump.ts'
// oxlint-disable-next-line no-restricted-imports -- as above
import { feed, loadDump } from '../runner/load.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import type { DatabaseFacts, Dump, DumpContents, Engine, Restore } from './engine.ts'

/** A real server, filled with what goes wrong elsewhere, and the engine that is to back it up. */
export interface EngineBed extends AsyncDisposable {
  engine: Engine
  /** Settings, as the engine's schema takes them, of a user who may do everything. */
  connection: unknown
  /** Every secret in `connection`: none of them may show in a command's arguments or in an error. */
  secrets: string[]
  /** Each way to write a dump that the engine offers: a title and its `dumpOptions`. The first is the default. */
  formats: { title: string; options: unknown }[]
  /** What the engine calls a database with this name; the name itself if absent. SQLite makes a path of it. */
  databaseNamed?(name: string): string
  /** Creates the database with the engine's own awkward data set in it; about 20 MB at most. */
  fill(database: string): Promise<void>
  /** Creates the database with nothing in it. */
  createEmpty(database: string): Promise<void>
  /** Creates the database with one table that holds a single row of 20 MB. */
  fillWithHugeRow?(database: string): Promise<void>
  /** Creates the database with some 14 MB in it, so that a dump can be interrupted in its middle. */
  fillLarge(database: string): Promise<void>
  /** The whole schema and every row as text, in an order that does not depend on storage. */
  fingerprint(database: string): Promise<string[]>
  /** Drops a table of what `fillLarge` made, while a dump is running. May have to wait until the dump is over. */
  dropTableDuring?(database: string): Promise<void>
  /** Kills the server without mercy; the bed is of no further use. */
  killServer?(): Promise<void>
  /** Other ways to connect, and what becomes of them: both for our own client and for the tools. */
  connections?: { title: string; connection: unknown; fails?: ErrorCode }[]
  /** A user who may sign in and no more. `run` executes what `missingPrivileges` prints, as an administrator. */
  unprivileged?: { connection: unknown; run(database: string, statement: string): Promise<void> }
  /** `dumpOptions` that must be refused with `tool_option_refused`. */
  refused?: { title: string; options: unknown }[]
  /** SQL that would write to the path on this machine, or read it: each must fail, and leave it as it is. */
  intrusions?(path: string): string[]
  /** What this engine cannot promise: the title of a test, and why. */
  exceptions?: Record<string, string>
}

/** Database names that break tools which build strings, each in ways of its own. */
const awkwardNames = [
  `Two words, quo'te"s`,
  'Größe.данные.c',
  '--help',
  'key=value',
  'postgresql://x@127.0.0.1/y',
  '100%_`tick`$HOME\\slash',
]

/**
 * What every engine promises, tried on a real server. Each driver's test calls it once per server version.
 * With `skip`, the reason why the server cannot be had here.
 */
export function engineConformance(
  name: string,
  { start, skip = false }: { start: () => Promise<EngineBed>; skip?: string | false },
): void {
  describe(`${name} keeps the promises of an engine`, { skip }, () => {
    let bed: EngineBed
    let tools: FoundTool[]
    let work: string
    let count = 0

    before(async () => {
      bed = await start()
      tools = await findTools(bed.engine.tools, signal)
      work = await mkdtemp(join(tmpdir(), 'holdfast-conformance-'))
    })
    after(async () => {
      await bed?.[Symbol.asyncDispose]()
      if (work) await rm(work, { recursive: true, force: true })
    })

    const connectionOf = (settings: unknown = bed.connection) => bed.engine.connection.parse(settings)
    const named = (database: string) => bed.databaseNamed?.(database) ?? database
    const directory = async () => {
      const path = join(work, String(++count))
      await mkdir(path, { mode: 0o700 })
      return path
    }
    /** A body that finds nothing to try skips, and says why. */
    const test = (title: string, body: (skip: (reason: string) => void) => Promise<void>): void => {
      void it(title, async (context) => {
        const reason = bed.exceptions?.[title]
        if (reason !== undefined) return context.skip(reason)
        await body((why) => context.skip(why))
      })
    }

    /** The command for a dump; nothing has run yet, except questions to the server. */
    const planDump = async (
      database: string,
      options: unknown,
      {
        connection = bed.connection,
        with: withTools = tools,
      }: { connection?: unknown; with?: FoundTool[] } = {},
    ): Promise<Dump & { facts: DatabaseFacts; workDirectory: string }> => {
      // Asked with the settings that work, so that also the tool meets the ones that do not.
      const server = await bed.engine.inspect(connectionOf(), signal)
      const facts = await bed.engine.describe(connectionOf(), database, signal)
      const workDirectory = await directory()
      const dump = bed.engine.dump({
        connection: connectionOf(connection),
        database,
        server,
        facts,
        options: bed.engine.dumpOptions.parse(options),
        tools: withTools,
        workDirectory,
      })
      return { ...dump, facts, workDirectory }
    }
    const planRestore = async (
      database: string,
      dump: Dump,
      rawBytes: number,
      mode: 'empty' | 'existing' = 'empty',
      options: unknown = {},
    ): Promise<Restore> => {
      const server = await bed.engine.inspect(connectionOf(), signal)
      return bed.engine.restore({
        connection: connectionOf(),
        database,
        server,
        format: dump.format,
        madeBy: { tool: dump.tool.name, version: dump.tool.version, serverVersion: server.version },
        options: bed.engine.restoreOptions.parse(options),
        mode,
        tools,
        workDirectory: await directory(),
        rawBytes,
      })
    }
    const dumpToFile = async (dump: Dump, options: { onFirstBytes?: () => void } = {}) => {
      const path = join(work, `${++count}${dump.extension}`)
      const contents = await storeDump(bed.engine, dump, path, signal, options.onFirstBytes)
      return { path, ...contents }
    }
    const restoreInto = async (
      database: string,
      like: DatabaseFacts,
      dump: Dump,
      path: string,
      bytes: number,
    ) => {
      await bed.engine.createDatabase(connectionOf(), database, like, signal)
      await loadDump(await planRestore(database, dump, bytes), createReadStream(path), signal)
    }
    /** What `fillLarge` makes, once for all who only read it. */
    let large: Promise<void> | undefined
    const largeSource = async () => {
      const database = named('large')
      await (large ??= bed.fillLarge(database))
      return database
    }
    const drop = (database: string) =>
      bed.engine.dropDatabase(connectionOf(), database, signal, { endSessions: true })

    test('says what the server is', async () => {
      const facts = await bed.engine.inspect(connectionOf(), signal)
      assert.match(facts.version, /^\d+\.\d+/)
      assert.notEqual(facts.flavour, '')
    })

    test('has every tool that it needs for this server', async () => {
      for (const need of bed.engine.tools) {
        assert.ok(
          tools.some((tool) => tool.name === need.name),
          `${need.name} was not found`,
        )
      }
    })

    test('brings the awkward data set back under a new name, in every format', async () => {
      const source = named('awkward data')
      await bed.fill(source)
      const expected = await bed.fingerprint(source)
      const rows = await bed.engine.countRows(connectionOf(), source, signal)
      for (const format of bed.formats) {
        const dump = await planDump(source, format.options)
        const { path, bytes, contents } = await dumpToFile(dump)
        if (contents.rows) {
          for (const [table, dumped] of Object.entries(contents.rows)) {
            assert.equal(dumped, rows[table], `${format.title}: rows of ${table} in the dump`)
          }
        }
        const target = named(`awkward copy ${format.title}`)
        await restoreInto(target, dump.facts, dump, path, bytes)
        assert.deepEqual(await bed.fingerprint(target), expected, format.title)
        assert.deepEqual(await bed.engine.countRows(connectionOf(), target, signal), rows, format.title)
        const copy = await bed.engine.describe(connectionOf(), target, signal)
        for (const fact of ['encoding', 'collation', 'locale', 'owner'] as const) {
          assert.deepEqual(copy[fact], dump.facts[fact], `${format.title}: ${fact}`)
        }
        await drop(target)
        await rm(path)
      }
      await drop(source)
    })

    test('counts the rows of every table while it dumps, in the default format', async () => {
      const source = named('counted')
      await bed.fill(source)
      const { contents } = await dumpToFile(await planDump(source, bed.formats[0]?.options))
      assert.ok(contents.rows, 'the default format tells how many rows each table has')
      assert.deepEqual(contents.rows, await bed.engine.countRows(connectionOf(), source, signal))
      await drop(source)
    })

    test('never takes a dump that ends early for complete, in any format', async () => {
      const source = named('cut')
      await bed.fill(source)
      for (const format of bed.formats) {
        const dump = await planDump(source, format.options)
        const { path, bytes } = await dumpToFile(dump)
        const whole = await readFile(path)
        for (
          let kept = 0;
          kept < bytes;
          kept = Math.max(kept + 1, Math.floor(bytes * (1 - (1 - kept / bytes) * 0.7)))
        ) {
          const reader = bed.engine.readDump(dump.format)
          assert.throws(
            () => {
              reader.update(whole.subarray(0, kept))
              reader.finish()
            },
            (error: unknown) => error instanceof AppError && error.code === 'dump_incomplete',
            `${format.title}: the first ${kept} of ${bytes} bytes`,
          )
        }
        await rm(path)
      }
      await drop(source)
    })

    test('dumps and restores an empty database, in every format', async () => {
      const source = named('empty')
      await bed.createEmpty(source)
      const expected = await bed.fingerprint(source)
      for (const format of bed.formats) {
        const dump = await planDump(source, format.options)
        const { path, bytes } = await dumpToFile(dump)
        const target = named('empty copy')
        await restoreInto(target, dump.facts, dump, path, bytes)
        assert.deepEqual(await bed.fingerprint(target), expected, format.title)
        await drop(target)
      }
      await drop(source)
    })

    test('handles every database name as it is', async () => {
      for (const awkward of awkwardNames) {
        const source = named(awkward)
        const target = named(bed.engine.besideName(awkward, 'new'))
        await bed.createEmpty(source)
        assert.equal(await bed.engine.databaseExists(connectionOf(), source, signal), true, source)
        if (!bed.databaseNamed) {
          assert.ok(
            (await bed.engine.listDatabases(connectionOf(), signal)).includes(source),
            `${source} is listed`,
          )
        }
        const dump = await planDump(source, bed.formats[0]?.options)
        const { path, bytes } = await dumpToFile(dump)
        await restoreInto(target, dump.facts, dump, path, bytes)
        if (bed.engine.renameDatabase) {
          await drop(source)
          await bed.engine.renameDatabase(connectionOf(), target, source, signal, { endSessions: true })
        } else {
          await drop(target)
        }
        assert.equal(await bed.engine.databaseExists(connectionOf(), target, signal), false, target)
        await drop(source)
        assert.equal(await bed.engine.databaseExists(connectionOf(), source, signal), false, source)
        await drop(source) // succeeds if it is already gone
      }
    })

    test('refuses a database that is not there, and one that is there already', async () => {
      const database = named('nowhere to be found')
      await rejectsWith('database_not_found', bed.engine.describe(connectionOf(), database, signal))
      await bed.createEmpty(database)
      await rejectsWith('database_exists', bed.engine.createDatabase(connectionOf(), database, {}, signal))
      await drop(database)
    })

    test('brings a row of 20 MB back', async (skip) => {
      if (!bed.fillWithHugeRow) return skip('There is no huge row.')
      const source = named('huge')
      await bed.fillWithHugeRow(source)
      const dump = await planDump(source, bed.formats[0]?.options)
      const { path, bytes } = await dumpToFile(dump)
      const target = named('huge copy')
      await restoreInto(target, dump.facts, dump, path, bytes)
      assert.deepEqual(await bed.fingerprint(target), await bed.fingerprint(source))
      await drop(source)
      await drop(target)
      await rm(path)
    })

    test('adds to an existing database and leaves what is there', async () => {
      const source = await largeSource()
      const target = named('already there')
      await bed.createEmpty(target)
      const dump = await planDump(source, bed.formats[0]?.options)
      const { path, bytes } = await dumpToFile(dump)
      await loadDump(await planRestore(target, dump, bytes, 'existing'), createReadStream(path), signal)
      assert.deepEqual(await bed.fingerprint(target), await bed.fingerprint(source))
      await drop(target)
      await rm(path)
    })

    test('a restore whose source breaks half-way fails', async () => {
      const source = await largeSource()
      const target = named('breaks copy')
      const dump = await planDump(source, bed.formats[0]?.options)
      const { path, bytes } = await dumpToFile(dump)
      await bed.engine.createDatabase(connectionOf(), target, dump.facts, signal)
      const broken = brokenAfter(createReadStream(path), bytes / 2)
      await assert.rejects(
        loadDump(await planRestore(target, dump, bytes), broken, signal),
        /the line went dead/,
      )
      assert.notDeepEqual(await bed.fingerprint(target), await bed.fingerprint(source))
      await drop(target)
      await rm(path)
    })

    test('a table that is dropped during the dump is in it whole, or the dump fails', async (skip) => {
      if (!bed.dropTableDuring) return skip('No table can be dropped.')
      const source = named('shrinks')
      await bed.fillLarge(source)
      const expected = await bed.fingerprint(source)
      const dump = await planDump(source, bed.formats[0]?.options)
      let dropped: Promise<void> | undefined
      const outcome = await dumpToFile(dump, {
        onFirstBytes: () => {
          dropped = bed.dropTableDuring?.(source)
        },
      }).catch((error: unknown) => error)
      assert.ok(dropped)
      await dropped
      if (outcome instanceof Error) {
        assert.ok(outcome instanceof AppError, String(outcome))
      } else {
        const { path, bytes } = outcome as { path: string; bytes: number }
        const target = named('shrinks copy')
        await restoreInto(target, dump.facts, dump, path, bytes)
        assert.deepEqual(await bed.fingerprint(target), expected)
        await drop(target)
      }
      await drop(source)
    })

    test('other ways to connect work, or fail with the reason: for the client and for the tools', async () => {
      const source = named('reached')
      await bed.createEmpty(source)
      for (const { title, connection, fails } of bed.connections ?? []) {
        const inspected = bed.engine.inspect(connectionOf(connection), signal)
        if (fails) {
          const error = await rejectsWith(fails, inspected, title)
          assert.ok(error.hint, `${title}: a hint`)
          assertNoSecret(bed, `${error.message} ${error.hint}`)
        } else await inspected
        const dump = await planDump(source, bed.formats[0]?.options, { connection })
        if (dump.source.from === 'file') continue
        const dumped = dumpToFile(dump)
        if (!fails) {
          await dumped
          continue
        }
        const failure = await dumped.then(
          () => assert.fail(`${title}: the tool succeeded`),
          (error: unknown) => error,
        )
        assert.ok(failure instanceof ToolFailure, `${title}: ${String(failure)}`)
        const explained = bed.engine.explain(failure.exit.tool, failure.exit.stderr)
        assert.equal(explained?.code, fails, `${title}: ${failure.exit.stderr}`)
        assertNoSecret(bed, `${explained?.message} ${explained?.hint} ${failure.exit.stderr}`)
      }
      await drop(source)
    })

    test('prints what a user lacks for a backup; granted, nothing is missing and the dump is complete', async (skip) => {
      if (!bed.unprivileged) return skip('There are no users.')
      const { connection } = bed.unprivileged
      const source = named('guarded')
      await bed.fill(source)
      const missing = await bed.engine.missingPrivileges(connectionOf(connection), source, signal)
      assert.ok(missing.length > 0)
      for (const { grant } of missing) await bed.unprivileged.run(source, grant)
      assert.deepEqual(await bed.engine.missingPrivileges(connectionOf(connection), source, signal), [])
      const { contents } = await dumpToFile(await planDump(source, bed.formats[0]?.options, { connection }))
      if (contents.rows) {
        assert.deepEqual(contents.rows, await bed.engine.countRows(connectionOf(), source, signal))
      }
      assert.deepEqual(await bed.engine.missingPrivileges(connectionOf(), source, signal), [])
      await drop(source)
    })

    test('refuses options that would break its promises, and those that it does not know', async () => {
      const source = named('options')
      await bed.createEmpty(source)
      for (const { title, options } of bed.refused ?? []) {
        await rejectsWith('tool_option_refused', planDump(source, options), title)
      }
      assert.equal(bed.engine.dumpOptions.safeParse({ noSuchOption: 1 }).success, false)
      assert.equal(bed.engine.restoreOptions.safeParse({ noSuchOption: 1 }).success, false)
      await drop(source)
    })

    const runSql = async (database: string, sql: string) => {
      const server = await bed.engine.inspect(connectionOf(), signal)
      const workDirectory = await directory()
      const run = bed.engine.runSql?.({ connection: connectionOf(), database, server, tools, workDirectory })
      assert.ok(run)
      assertNoSecret(bed, [run.command.file, ...run.command.args].join('\n'))
      await using _secrets = await writeSecretFiles(run.secretFiles)
      await feed(run, oneChunk(sql), signal)
    }
    const marksIn = async (database: string) =>
      Object.values(await bed.engine.countRows(connectionOf(), database, signal))
    const toolFails = (run: Promise<unknown>, title?: string) =>
      assert.rejects(run, (error: unknown) => error instanceof ToolFailure, title)

    test('runs SQL in a database until the first statement that fails', async (skip) => {
      if (!bed.engine.runSql) return skip('There is no SQL.')
      const database = named(`SQL in Größe's "100%"`)
      await bed.createEmpty(database)
      await runSql(database, `create table marks (note varchar(100)); insert into marks values ('ä;')`)
      await runSql(database, `begin; insert into marks values ('left open') -- the end`)
      assert.deepEqual(await marksIn(database), [2])
      const wrong = [
        `insert into marks values ('3'); insert into nowhere values (1); insert into marks values ('4')`,
        `insert into marks values ('unfinished`,
        `insert into marks valuess ('5')`,
      ]
      for (const sql of wrong) await toolFails(runSql(database, sql), sql)
      assert.deepEqual(await marksIn(database), [3])
      await drop(database)
    })

    test('runs no SQL that reaches for this machine', async (skip) => {
      if (!bed.intrusions) return skip('There is no such SQL.')
      const database = named('intruded')
      await bed.createEmpty(database)
      await runSql(database, `create table marks (note varchar(100))`)
      const folder = await directory()
      const path = join(folder, 'file')
      await writeFile(path, 'mine')
      for (const sql of bed.intrusions(path)) {
        await toolFails(runSql(database, sql), sql)
        assert.equal(await readFile(path, 'utf8'), 'mine', sql)
        assert.deepEqual(await readdir(folder), ['file'], sql)
        assert.deepEqual(await marksIn(database), [0], sql)
      }
      await drop(database)
    })

    test('says what a user lacks for a restore, and nothing of a user who may do everything', async (skip) => {
      const database = named('to be restored')
      for (const mode of ['new', 'replace', 'existing'] as const) {
        const target = { database, mode, exists: false }
        assert.deepEqual(await bed.engine.missingForRestore(connectionOf(), target, signal), [])
      }
      if (!bed.unprivileged) return skip('There are no users.')
      await bed.createEmpty(database)
      const connection = connectionOf(bed.unprivileged.connection)
      const missing = async (mode: 'replace' | 'existing') =>
        await bed.engine.missingForRestore(connection, { database, mode, exists: true }, signal)
      const [toAdd, toReplace] = [await missing('existing'), await missing('replace')]
      assert.ok(toAdd.length > 0 && toReplace.length > 0)
      for (const { grant } of [...toAdd, ...toReplace]) await bed.unprivileged.run(database, grant)
      assert.deepEqual([await missing('existing'), await missing('replace')], [[], []])
      await drop(database)
    })

    test('keeps secrets out of arguments, and its files to itself', async () => {
      const source = named('secret')
      await bed.createEmpty(source)
      for (const format of bed.formats) {
        const dump = await planDump(source, format.options)
        const restore = await planRestore(source, dump, 1)
        for (const command of [...commandsOf(dump), ...commandsOfRestore(restore)]) {
          assertNoSecret(bed, [command.file, ...command.args].join('\n'))
        }
        for (const path of Object.keys(dump.secretFiles ?? {})) {
          assert.ok(path.startsWith(`${dump.workDirectory}/`), `${path} is in the work directory`)
        }
        await dumpToFile(dump)
        const left = await readdir(dump.workDirectory, { recursive: true, withFileTypes: true })
        assert.deepEqual(
          left.filter((entry) => !entry.isDirectory()).map((entry) => entry.name),
          [],
          `${format.title} leaves files behind`,
        )
      }
      await drop(source)
    })

    test('a cancelled dump ends its tool and leaves nothing', async () => {
      const source = await largeSource()
      for (const format of bed.formats) {
        const dump = await planDump(source, format.options)
        const controller = new AbortController()
        const before = await childProcesses()
        const running = (async () => {
          for await (const _ of dumpBytes(dump, controller.signal)) controller.abort(new Error('enough'))
        })()
        await assert.rejects(running, /enough|abort/i, format.title)
        assert.deepEqual(await childProcesses(), before)
        for (const path of Object.keys(dump.secretFiles ?? {})) await assert.rejects(readFile(path))
      }
    })

    describe('with tools that misbehave', () => {
      const misbehaving: { title: string; script: (tool: string) => string }[] = [
        { title: 'exits 1 after its last byte', script: (tool) => `"${tool}" "$@"; exit 1` },
        { title: 'exits 0 with nothing', script: () => `exit 0` },
        {
          title: 'writes half and exits 0',
          script: (tool) => `"${tool}" "$@" | head -c 100000`,
        },
        {
          title: 'closes its output and then fails',
          script: (tool) => `"${tool}" "$@"; exec >&-; sleep 0.05; exit 3`,
        },
        { title: 'dies by a signal after its last byte', script: (tool) => `"${tool}" "$@"; kill -KILL $$` },
        {
          title: 'writes 10 MB of complaints and fails',
          script: () => `head -c 10000000 /dev/zero | tr '\\0' '\\n' >&2; exit 1`,
        },
        { title: 'cannot be started', script: () => '' },
      ]
      /** Plans the dump with a script in the place of the tool, and hands it to the test. */
      const withScript = (
        title: string,
        script: (tool: string) => string,
        body: (dump: Dump) => Promise<void>,
      ) =>
        test(title, async (skip) => {
          if (bed.engine.tools.length === 0) return skip('No tool makes this dump.')
          const source = await largeSource()
          const genuine = await planDump(source, bed.formats[0]?.options)
          const tool = tools.find((found) => found.path === toolOf(genuine))
          assert.ok(tool)
          const fake = await fakeTool(await directory(), tool, script(tool.path))
          await body(await planDump(source, bed.formats[0]?.options, { with: fake.instead(tools) }))
        })

      for (const { title, script } of misbehaving) {
        withScript(`a tool that ${title} is a failed dump`, script, async (dump) => {
          const error = await dumpToFile(dump).catch((thrown: unknown) => thrown)
          assert.ok(error instanceof AppError, String(error))
          assert.match(error.code, /^(tool_failed|tool_missing|dump_incomplete)$/)
        })
      }

      const warning = (tool: string) => `echo 'warning: error: FATAL' >&2; exec "${tool}" "$@"`
      withScript('a tool that writes warnings and exits 0 is a good dump', warning, async (dump) => {
        await dumpToFile(dump)
      })
    })

    test('a server that is killed during the dump is a failed dump', async (skip) => {
      await using victim = await start()
      if (!victim.killServer) return skip('There is no server.')
      const source = victim.databaseNamed?.('killed') ?? 'killed'
      await victim.fillLarge(source)
      const connection = victim.engine.connection.parse(victim.connection)
      const workDirectory = await directory()
      const dump = victim.engine.dump({
        connection,
        database: source,
        server: await victim.engine.inspect(connection, signal),
        facts: await victim.engine.describe(connection, source, signal),
        options: victim.engine.dumpOptions.parse(victim.formats[0]?.options),
        tools,
        workDirectory,
      })
      let killed: Promise<void> | undefined
      const outcome = storeDump(victim.engine, dump, join(work, 'killed'), signal, () => {
        killed ??= victim.killServer?.()
        return killed
      })
      await assert.rejects(outcome, (error: unknown) => error instanceof AppError)
      await killed
    })
  })
}

const signal = AbortSignal.timeout(600_000)

/** Runs the dump into a file, under the eyes of the engine's reader. Fails like a real job: no verdict, no dump. */
async function storeDump(
  engine: Engine,
  dump: Dump,
  path: string,
  signal: AbortSignal,
  onFirstBytes?: () => unknown,
): Promise<{ bytes: number; contents: DumpContents }> {
  const reader = engine.readDump(dump.format)
  const file = createWriteStream(path)
  let bytes = 0
  let made: DumpContents | undefined
  try {
    for await (const chunk of dumpBytes(dump, signal, { onContents: (contents) => (made = contents) })) {
      if (bytes === 0) await onFirstBytesOf(onFirstBytes)
      bytes += chunk.length
      reader.update(chunk)
      if (!file.write(chunk)) await once(file, 'drain')
    }
    return { bytes, contents: { ...reader.finish(), ...made } }
  } finally {
    file.end()
    await once(file, 'close')
  }
}

/** What kills the server is waited for; what has to wait for the dump is not. */
async function onFirstBytesOf(action: (() => unknown) | undefined): Promise<void> {
  const pending = action?.()
  if (pending instanceof Promise) {
    pending.catch(() => {}) // whoever handed it in looks at it
    await Promise.race([pending.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 500))])
  }
}

async function* brokenAfter(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let passed = 0
  for await (const chunk of source) {
    yield chunk
    passed += chunk.length
    if (passed >= bytes) throw new Error('the line went dead')
  }
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function rejectsWith(code: ErrorCode, promise: Promise<unknown>, title = ''): Promise<AppError> {
  const error = await promise.then(
    () => assert.fail(`${title}: expected ${code}, but it succeeded`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AppError, `${title}: ${String(error)}`)
  assert.equal(error.code, code, `${title}: ${error.message}`)
  return error
}

function assertNoSecret(bed: EngineBed, text: string): void {
  for (const secret of bed.secrets) assert.ok(!text.includes(secret), 'a secret shows')
}

function commandsOf(dump: Dump): Command[] {
  return dump.source.from === 'file' ? [] : [dump.source.command]
}

function commandsOfRestore({ target }: Restore): Command[] {
  const through = 'through' in target ? (target.through ?? []) : []
  return [
    ...(target.command ? [target.command] : []),
    ...through.filter((stage) => typeof stage !== 'function'),
  ]
}

/** The program of a dump's command, if it has one. */
function toolOf(dump: Dump): string | undefined {
  return commandsOf(dump)[0]?.file
}

/** A shell script in the place of a tool; without a text, a file that is no program. */
async function fakeTool(directory: string, tool: FoundTool, script: string) {
  const path = join(directory, basename(tool.path))
  await writeFile(path, script === '' ? '\u007fnot a program' : `#!/bin/bash\n${script}\n`)
  await chmod(path, 0o755)
  return {
    instead: (tools: FoundTool[]) => tools.map((found) => (found === tool ? { ...tool, path } : found)),
  }
}

/** The process ids of this process' children that still run. */
async function childProcesses(): Promise<string[]> {
  const threads = await readdir('/proc/self/task')
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => '')),
  )
  return lists.flatMap((list) => list.split(' ').filter((pid) => pid.trim() !== '')).sort()
}
