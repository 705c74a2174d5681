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

      it('takes nothing for complete, with one bit of its structure flipped, that pg_restore does not take', async () => {
        const tocLength = archive.length - (new TocParser().push(archive)?.length ?? 0)
        // Texts have none of these bytes; rows have none of them between their blocks.
        const structural = [...archive.keys()].filter(
          (at) => (archive[at] ?? 0) < 9 && (at < tocLength || archive[at] !== 0),
        )
        const path = join(folder, 'flipped.dump')
        await fc.assert(
          fc.asyncProperty(fc.constantFrom(...structural), fc.nat(7), async (at, bit) => {
            const flipped = Buffer.from(archive)
            flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
            try {
              walk(flipped)
            } catch (error) {
              return assert.ok(isIncomplete(error), String(error))
            }
            await writeFile(path, flipped)
            await tool('pg_restore', ['--format=custom', `--file=${path}.sql`, path])
          }),
          { numRuns: 60, endOnFailure: true },
        )
      })

      it('does not believe that rows are compressed which are not, nor that rows are large objects', () => {
        const pretending = Buffer.from(archive)
        pretending[major === 15 ? 12 : 11] = 1
        assert.throws(() => walk(pretending), isIncomplete)
        const rest = new TocParser().push(archive)
        assert.equal(rest?.[0], 1)
        const toc = archive.subarray(0, archive.length - rest.length)
        const empty = Buffer.from([3, ...rest.subarray(1, 6), 0, 0, 0, 0, 0])
        assert.throws(() => walk(Buffer.concat([toc, empty])), /is something else/)
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

describe('an archive that means harm', () => {
  const int = (value: number) => {
    const bytes = Buffer.alloc(5)
    bytes.writeUInt32LE(value, 1)
    return bytes
  }
  const text = (value: string) => Buffer.concat([int(value.length), Buffer.from(value)])
  const none = Buffer.from([1, 1, 0, 0, 0])
  const head = (entries: number) =>
    Buffer.concat([
      Buffer.from('PGDMP'),
      Buffer.from([1, 14, 0, 4, 8, 1]),
      ...Array.from({ length: 8 }, () => int(0)),
      text('db'),
      text('15.1'),
      text('15.1'),
      int(entries),
    ])
  const entry = (id: number, end: readonly Buffer[] = [none, Buffer.alloc(9, 3)], drop = text('DROP')) =>
    Buffer.concat([
      int(id),
      int(0),
      text('1259'),
      text('1'),
      text('t'),
      text('TABLE'),
      int(2),
      text('CREATE'),
      drop,
      none,
      text('public'),
      none,
      text('heap'),
      text('postgres'),
      text('false'),
      ...end,
    ])
  const piece = Buffer.alloc(65_536)

  it('makes us neither gather nor read again what it never ends', () => {
    const endless: [string, Buffer, Buffer][] = [
      ['a statement', Buffer.concat([head(1), int(1), int(0), int(0x7fffffff)]), piece],
      ['its dependencies', Buffer.concat([head(1), entry(1, [])]), Buffer.concat(Array(13_000).fill(int(0)))],
    ]
    for (const [what, start, more] of endless) {
      const walker = new ArchiveWalker()
      walker.update(start)
      const before = process.memoryUsage()
      const started = process.cpuUsage().user
      for (let i = 0; i < 100; i++) walker.update(more)
      const after = process.memoryUsage()
      assert.throws(() => walker.finish(), isIncomplete)
      assert.ok(after.arrayBuffers - before.arrayBuffers < 20e6, `${what}: ${after.arrayBuffers} bytes`)
      assert.ok(process.cpuUsage().user - started < 10e6, what)
    }
  })

  it('is refused when it has more than fits into memory', () => {
    const dependencies = entry(
      1,
      Array.from({ length: 2000 }, () => int(0)),
    )
    const entries = Array.from({ length: 200 }, (_, i) => entry(i + 1))
    const parser = (isKept = true) => new TocParser(undefined, () => isKept, 1000)
    assert.throws(() => parser().push(Buffer.concat([head(1), dependencies])), /too many entries/)
    const many = Buffer.concat([head(200), ...entries])
    assert.throws(() => parser().push(many), /too many entries/)
    assert.equal(parser(false).push(many)?.length, 0)
  })

  it('is refused for names, numbers and lengths that no archive has', () => {
    for (const [bytes, why] of [
      [Buffer.concat([head(1), int(1), int(0), none, none, int(2_000_000)]), /name of impossible length/],
      [Buffer.concat([head(1), entry(2 ** 31)]), /impossible number/],
      [Buffer.concat([head(1), entry(1, [none, Buffer.alloc(9)])]), /where its data are/],
      [Buffer.concat([head(1), entry(2 ** 30)]), /number 1073741824/],
      [Buffer.concat([head(1), entry(0)]), /entry with the number 0/],
      [Buffer.concat([head(1).subarray(0, -5), none]), /negative length/],
    ] as const) {
      assert.throws(
        () => walk(bytes),
        (error) => isIncomplete(error) && why.test(String(error)),
      )
    }
  })

  it('is read the same, whatever its statements are like and in pieces of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5000), { maxLength: 5 }),
        fc.integer({ min: 1, max: 6000 }),
        (lengths, size) => {
          const entries = lengths.map((length, i) => entry(i + 1, undefined, text('x'.repeat(length))))
          const bytes = Buffer.concat([head(lengths.length), ...entries])
          const parser = new TocParser()
          let rest: Uint8Array | undefined
          for (let at = 0; at < bytes.length; at += size) rest = parser.push(bytes.subarray(at, at + size))
          assert.equal(rest?.length, 0)
          assert.deepEqual(
            parser.entries.map(({ id, name, schema }) => [id, name, schema]),
            lengths.map((_, i) => [i + 1, 't', 'public']),
          )
        },
      ),
    )
  })
})

describe('a directory that means harm', () => {
  const header = (name: string, size: string, sum?: number) => {
    const block = Buffer.alloc(512)
    block.write(name, 0)
    block.write(size, 124)
    block.write('0', 156)
    block.fill(32, 148, 156)
    const total = sum ?? block.reduce((all, byte) => all + byte, 0)
    block.write(total.toString(8).padStart(6, '0'), 148)
    return block
  }
  const read = (...blocks: Buffer[]) => {
    const reader = new DirectoryReader()
    for (const block of blocks) reader.update(block)
    return reader.finish()
  }

  it('is incomplete, and nothing worse', () => {
    const end = Buffer.alloc(1024)
    for (const [blocks, why] of [
      [[header('a.dat', '0'), header('a.dat', '0'), end], /holds a\.dat twice/],
      [[header('a.dat', '-1'), end], /damaged/],
      [[header('a.dat', 'x'), end], /damaged/],
      [[header('a.dat', '0', 1), end], /damaged/],
      [[header('a.dat', '77777777777'), end], /does not end/],
    ] as const) {
      assert.throws(
        () => read(...blocks),
        (error) => isIncomplete(error) && why.test(String(error)),
      )
    }
  })
})

function walk(bytes: Uint8Array): DumpContents {
  const walker = new ArchiveWalker()
  walker.update(bytes)
  return walker.finish()
}

function isIncomplete(error: unknown): boolean {
  return error instanceof AppError && error.code === 'dump_incomplete'
}
