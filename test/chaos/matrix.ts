import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { AWKWARD as awkwardSqlite, fingerprintOf } from '../../src/engines/sqlite/test-data.ts'
import { AWKWARD as awkwardMysql } from '../../src/engines/mysql/test-data.ts'
import { type BackupReport, type Desk, jsonOf, openDesk } from '../e2e/cli.ts'
import { type DatabaseKind, databaseKinds, type Source } from '../e2e/databases.ts'
import { placeKinds } from '../e2e/places.ts'
import { createConnection } from 'mysql2/promise'
import { parseSettings } from '../../src/engines/index.ts'
import { startBed } from '../../src/engines/postgresql/test-bed.ts'
import { allForms } from './forms.ts'
import { type Bench, type Group, needsOf } from './suite.ts'

/** A database with everything in it that a dump may lose. */
interface Awkward {
  url(database?: string): string
  env: Record<string, string>
  fingerprint(database?: string): Promise<string[]>
  drop(database: string): Promise<void>
}

/**
 * Awkward data through every compression, every encryption and every kind of volume, by the command line: what comes
 * back under a new name is the same, row for row.
 */
export function matrix(bench: Bench): Group[] {
  const { grounds } = bench
  const made = new Map<DatabaseKind, Promise<Awkward>>()
  const awkward = (kind: DatabaseKind): Promise<Awkward> => {
    const found = made.get(kind) ?? make[kind](bench)
    made.set(kind, found)
    return found
  }
  // With little time each engine meets one of the forms, on one kind of volume.
  return databaseKinds.flatMap((kind, engine) =>
    allForms().flatMap((form, number) =>
      placeKinds.map((placeKind, place) => ({
        name: `${kind}: ${form.name}, on ${placeKind}`,
        needs: [...needsOf[kind], ...needsOf[placeKind], 'age' as const, 'zstd' as const],
        few: number === 5 * engine && place === engine % placeKinds.length ? 1 : 0,
        most: 1,
        async round() {
          const data = await awkward(kind)
          await using desk = await openDesk()
          await using place = await grounds.place(placeKind)
          const env = { ...data.env, ...place.env, ...form.env }
          const formats = kind === 'postgresql' ? ['custom', 'plain', 'directory'] : ['']
          const format = formats[number % formats.length]
          const options = format ? ['--format', format] : []
          const taken = await desk.run(
            ['backup', 'once', data.url(), '--to', place.url, ...options, ...form.args, '--json'],
            { env },
          )
          assert.equal(taken.exitCode, 0, taken.stdout + taken.stderr)
          const [snapshot] = jsonOf<BackupReport>(taken).snapshots
          const key = snapshot?.key ?? ''
          await succeed(desk, ['verify', key, '--on', place.url], env)
          const target = `awkward_${number}_${placeKind}`
          try {
            await succeed(
              desk,
              ['restore', 'once', key, '--from', place.url, '--into', data.url(target)],
              env,
            )
            assert.deepEqual(await data.fingerprint(target), await data.fingerprint(), format)
          } finally {
            await data.drop(target)
          }
        },
      })),
    ),
  )
}

async function succeed(desk: Desk, args: string[], env: Record<string, string>): Promise<void> {
  const { exitCode, stdout, stderr } = await desk.run(args, { env })
  assert.equal(exitCode, 0, `holdfast ${args.join(' ')}: ${stdout}${stderr}`)
}

const make: Record<DatabaseKind, (bench: Bench) => Promise<Awkward>> = {
  /** The bed of the engine's own tests has a server of its own. */
  async postgresql({ stack }) {
    const bed = stack.use(await startBed({ major: 15, tls: false }))
    await bed.fill('awkward')
    const connection = parseSettings(bed.engine.connection, bed.connection, 'the bed')
    const { host, port, user, password } = connection as Record<string, string>
    return {
      url: (database = 'awkward') => `postgresql://${user}@${host}:${port}/${database}`,
      env: { HOLDFAST_DATABASE_PASSWORD: password ?? '' },
      fingerprint: async (database = 'awkward') => await bed.fingerprint(database),
      drop: async (database) => {
        const signal = new AbortController().signal
        await bed.engine.dropDatabase(connection, database, signal, { endSessions: true })
      },
    }
  },
  async mysql({ sources }) {
    const source: Source = await sources.source('mysql')
    const { host, port, user, password } = await sources.mariadb()
    const connection = await createConnection({ host, port, user, password, charset: 'utf8mb4' })
    try {
      const head = ['create database awkward character set utf8mb4 collate utf8mb4_unicode_ci', 'use awkward']
      const session = [`set sql_mode = ''`, `set time_zone = '+00:00'`]
      for (const statement of [...head, ...session, ...awkwardMysql]) await connection.query(statement)
    } finally {
      await connection.end()
    }
    return {
      ...source,
      url: (database = 'awkward') => source.url(database),
      fingerprint: (database = 'awkward') => source.fingerprint(database),
    }
  },
  async sqlite({ sources }) {
    const source = await sources.source('sqlite')
    const pathOf = (database: string) => source.url(database).slice('sqlite:'.length)
    const db = new DatabaseSync(pathOf('awkward'), { enableForeignKeyConstraints: false })
    db.exec(awkwardSqlite)
    db.close()
    return {
      ...source,
      url: (database = 'awkward') => source.url(database),
      fingerprint: async (database = 'awkward') => fingerprintOf(pathOf(database)),
    }
  },
}
