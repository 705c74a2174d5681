import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { skipUnless } from '../../../test/servers/needs.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { run } from '../../lib/process.ts'
import { AppError } from '../../shared/errors.ts'
import type { DumpContents } from '../engine.ts'
import { TocParser } from './archive-toc.ts'
import { ArchiveWalker } from './archive.ts'
import { DirectoryReader } from './directory.ts'

const schema = [
  'create table t (id int primary key, note text)',
  `insert into t select n, repeat('x', n % 150) || E'\\n\\t' from generate_series(1, 300) n`,
  'create table tiny (id int)',
  'insert into tiny select generate_series(1, 100)',
  'create table empty ()',
  'create table no_columns (); insert into no_columns default values; insert into no_columns default values',
  'create view v as select * from t',
  `select lo_from_bytea(77, decode(repeat('0a5c2e0a', 500), 'hex')), lo_from_bytea(4000000000, '\\x0a')`,
]
const rows = { 'public.t': 300, 'public.tiny': 100, 'public.empty': 0, 'public.no_columns': 2 }

for (const major of [15, 18] as const) {
  describe(
    `the walk through an archive of pg_dump ${major}`,
    { skip: skipUnless(`postgres${major}`) },
    () => {
      let server: PostgresServer
      let folder: string
      let archive: Buffer
      const signal = AbortSignal.timeout(120_000)
      const tool = (name: string, args: string[]) => {
        const { host, port, user, password, programs } = server
        const env = {
          PGHOST: host,
          PGPORT: String(port),
          PGUSER: user,
          PGPASSWORD: password,
          PGDATABASE: 'walked',
        }
        return run({ file: join(programs, name), args, env }, signal)
      }
      const dumpTo = async (name: string, args: string[]) => {
        const path = join(folder, name)
        await tool('pg_dump', ['--format=custom', `--file=${path}`, ...args])
        return readFile(path)
      }

      before(async () => {
        server = await startPostgres({ major })
        folder = await mkdtemp(join(tmpdir(), 'archive-'))
        await server.query('create database walked')
        await server.query(schema, 'walked')
        archive = await dumpTo('plain.dump', ['--compress=0'])
      })
      after(async () => {
        await server?.[Symbol.asyncDispose]()
        if (folder) await rm(folder, { recursive: true })
      })

      it('counts the rows of every table', () => assert.deepEqual(walk(archive).rows, rows))

      it('reads the same table of contents as pg_restore', async () => {
        const listed = (await tool('pg_restore', ['--list', join(folder, 'plain.dump')]))
          .split('\n')
          .filter((line) => /^\d+;/.test(line))
        const parser = new TocParser()
        parser.push(archive)
        const ids = parser.entries.map(({ id }) => id)
        // pg_restore does not list what it uses itself: encoding, search path, the database.
        for (const line of listed) {
          const entry = parser.entries.find(({ id }) => id === Number.parseInt(line, 10))
          assert.ok(entry, line)
          assert.ok(line.includes(` ${entry.kind} ${entry.schema || '-'} ${entry.name}`), line)
        }
        assert.ok(ids.length >= listed.length)
        assert.equal(parser.header?.toolVersion.startsWith(String(major)), true)
      })

      it('does not take the archive for complete when it ends at any other byte', () => {
        for (let length = 0; length < archive.length; length++) {
          assert.throws(
            () => walk(archive.subarray(0, length)),
            isIncomplete,
            `${length} of ${archive.length}`,
          )
        }
      })

      it('does not take the archive for complete when anything follows', () => {
        for (const more of ['\x00', '\x01', 'PGDMP', '\n']) {
          assert.throws(() => walk(Buffer.concat([archive, Buffer.from(more)])), isIncomplete)
        }
      })

      it('sees the same in pieces of any size', () => {
        fc.assert(
          fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }), (sizes) => {
            const walker = new ArchiveWalker()
            for (let at = 0, i = 0; at < archive.length; i++) {
              const size = sizes[i % sizes.length] ?? 1
              walker.update(archive.subarray(at, at + size))
              at += size
            }
            assert.deepEqual(walker.finish().rows, rows)
          }),
          { numRuns: 60 },
        )
      })

      it('sees the end of an archive that is nothing but a table of contents, in pieces of any size', async () => {
        const bare = await dumpTo('schema.dump', ['--schema-only'])
        for (let size = 1; size < 400; size++) {
          const walker = new ArchiveWalker()
          for (let at = 0; at < bare.length; at += size) walker.update(bare.subarray(at, at + size))
          assert.deepEqual(walker.finish().rows ?? {}, {})
        }
      })

      it('says “incomplete”, and nothing worse, of damaged archives', () => {
        fc.assert(
          fc.property(fc.nat(archive.length - 1), fc.nat(255), fc.nat(200), (at, byte, missing) => {
            const damaged = Buffer.from(archive)
            damaged[at] = byte
            const cut = Buffer.concat([damaged.subarray(0, at + 1), damaged.subarray(at + 1 + missing)])
            try {
              walk(cut)
            } catch (error) {
              assert.ok(isIncomplete(error), String(error))
            }
          }),
          { numRuns: 2000 },
        )
      })

      it('accepts the compressed archives of others, without counting', async () => {
        const compressed = await dumpTo('gzip.dump', ['--compress=6'])
        assert.deepEqual(walk(compressed), {})
        assert.throws(() => walk(compressed.subarray(0, -1)), isIncomplete)
      })

      it('accepts an archive that was written to a file by the shell', async () => {
        const path = join(folder, 'redirected.dump')
        const { file, args } = { file: join(server.programs, 'pg_dump'), args: '-Fc -Z0' }
        const { host, port, user, password } = server
        const env = {
          PGHOST: host,
          PGPORT: String(port),
          PGUSER: user,
          PGPASSWORD: password,
          PGDATABASE: 'walked',
        }
        await run({ file: '/bin/sh', args: ['-c', `"${file}" ${args} > "$0"`, path], env }, signal)
        assert.deepEqual(walk(await readFile(path)).rows, rows)
      })

      it('counts no rows where statements stand in place of rows', async () => {
        assert.deepEqual(walk(await dumpTo('inserts.dump', ['--compress=0', '--inserts'])).rows, {})
      })

      it('refuses an archive of a version that nobody knows yet', () => {
        const future = Buffer.from(archive)
        future[6] = 99
        assert.throws(() => walk(future), /version is 1\.99/)
      })

      it('of a directory, misses any file that its table of contents names', async () => {
        const path = join(folder, 'directory')
        await tool('pg_dump', ['--format=directory', '--compress=0', `--file=${path}`])
        const tar = (await run({ file: 'ls', args: [path] }, signal)).trim().split('\n')
        const packed = async (left?: string) => {
          const out = join(folder, 'packed.tar')
          const files = tar.filter((name) => name !== left)
          await run(
            {
              file: 'tar',
              args: ['--format=ustar', '--blocking-factor=1', '-cf', out, '-C', path, ...files],
            },
            signal,
          )
          const reader = new DirectoryReader()
          const bytes = await readFile(out)
          for (let at = 0; at < bytes.length; at += 700) reader.update(bytes.subarray(at, at + 700))
          return reader.finish()
        }
        assert.deepEqual((await packed()).rows, rows)
        for (const name of tar) await assert.rejects(packed(name), isIncomplete, `without ${name}`)
        const [data] = tar.filter((name) => /^\d+\.dat$/.test(name))
        assert.ok(data)
        const whole = await readFile(join(path, data))
        await writeFile(join(path, data), whole.subarray(0, -4))
        await assert.rejects(packed(), isIncomplete)
      })
    },
  )
}

function walk(bytes: Uint8Array): DumpContents {
  const walker = new ArchiveWalker()
  walker.update(bytes)
  return walker.finish()
}

function isIncomplete(error: unknown): boolean {
  return error instanceof AppError && error.code === 'dump_incomplete'
}
