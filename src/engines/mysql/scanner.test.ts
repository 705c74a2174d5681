import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { chosenStatements, withoutTables, type Choice } from './filter.ts'
import { mysqlDumpReader } from './reader.ts'

const HEAD = `/*M!999999\\- enable the sandbox mode */
-- MariaDB dump 10.19
--
-- Host: 127.0.0.1    Database: x
/*!40103 SET TIME_ZONE='+00:00' */;
-- CHANGE MASTER TO MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=945;
`
const TAIL = `/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;
-- Dump completed on 2026-11-22  4:26:03
`

interface Table {
  name: string
  /** Each row a list of values. */
  rows: (string | null | number)[][]
  perLine: boolean
  columns: boolean
}

const tables: fc.Arbitrary<Table[]> = fc.uniqueArray(
  fc.record({
    name: fc.string({
      unit: fc.constantFrom('a', 'b', '`', '(', ')', "'", '"', ';', ' ', '\\', '🎉', ','),
      minLength: 1,
      maxLength: 20,
    }),
    rows: fc.array(
      fc.array(
        fc.oneof(
          fc.string({
            unit: fc.constantFrom(
              'x',
              "'",
              '\\',
              '"',
              '(',
              ')',
              ',',
              ';',
              '\n',
              '`',
              '\0',
              '-',
              '🎉',
              '/',
              '*',
            ),
            maxLength: 30,
          }),
          fc.constant(null),
          fc.integer(),
          fc.constantFrom(
            '-- Dump completed on 2026-11-22  4:26:03\n',
            ');\nUNLOCK TABLES;\n',
            '\n--\n-- Dumping data for table `z`\n--\n',
          ),
        ),
        { minLength: 1, maxLength: 4 },
      ),
      { maxLength: 8 },
    ),
    perLine: fc.boolean(),
    columns: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 4 },
)

const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``
const escapes: Record<string, string> = { '\0': '\\0', '\n': '\\n', "'": "\\'", '"': '\\"', '\\': '\\\\' }
const literal = (value: string | null | number) =>
  typeof value === 'string'
    ? `'${value.replaceAll(/[\0\n'"\\]/g, (one) => escapes[one] ?? '')}'`
    : String(value ?? 'NULL')

function structureOf({ name }: Table): string {
  return `--
-- Table structure for table ${quoted(name)}
--

DROP TABLE IF EXISTS ${quoted(name)};
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE ${quoted(name)} (
  \`a;'b\` int COMMENT 'it''s; -- (\\'',
  \`line
INSERT INTO \`\`q\`\` VALUES (1);
\` int
);
`
}

function dataOf({ name, rows, perLine, columns }: Table): string {
  const values = rows.map((row) => `(${row.map(literal).join(',')})`)
  const list = columns ? ` (${quoted(name)}, \`(\`)` : ''
  const insert =
    values.length === 0
      ? ''
      : `INSERT INTO ${quoted(name)}${list} VALUES${perLine ? '\n' : ' '}${values.join(perLine ? ',\n' : ',')};\n`
  return `
--
-- Dumping data for table ${quoted(name)}
--

LOCK TABLES ${quoted(name)} WRITE;
/*!40000 ALTER TABLE ${quoted(name)} DISABLE KEYS */;
${insert}/*!40000 ALTER TABLE ${quoted(name)} ENABLE KEYS */;
UNLOCK TABLES;
`
}

const TRIGGER = `/*!50003 SET sql_mode              = '' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50003 TRIGGER tr BEFORE INSERT ON e FOR EACH ROW BEGIN
-- it's; DELIMITER
/* ';; */ INSERT INTO \`log\` VALUES ('
INSERT INTO \`log\` VALUES (1),(2);
;;'); # ';;
END */;;
DELIMITER ;
`
const ROUTINES = `
--
-- Dumping routines for database 'x'
--
${TRIGGER.replace('TRIGGER tr', 'PROCEDURE p')}`

const dumpOf = (list: Table[]) =>
  HEAD + list.map((table) => structureOf(table) + dataOf(table) + TRIGGER).join('') + ROUTINES + TAIL

describe('reading a dump as it goes by', () => {
  it('counts the rows of every table, whatever stands in them and however the bytes arrive', () => {
    fc.assert(
      fc.property(tables, fc.array(fc.nat(5000)), (list, cuts) => {
        const bytes = Buffer.from(dumpOf(list))
        const reader = mysqlDumpReader()
        for (const piece of pieces(bytes, cuts)) reader.update(piece)
        assert.deepEqual(reader.finish(), {
          rows: Object.fromEntries(list.map(({ name, rows }) => [name, rows.length])),
          position: { file: 'bin.000001', offset: '945' },
        })
      }),
      { numRuns: 300 },
    )
  })

  it('takes no beginning of a dump for the whole', () => {
    fc.assert(
      fc.property(tables, fc.nat(), (list, cut) => {
        const bytes = Buffer.from(dumpOf(list))
        const reader = mysqlDumpReader()
        reader.update(bytes.subarray(0, cut % bytes.length))
        assert.throws(() => reader.finish(), { code: 'dump_incomplete' })
      }),
    )
  })

  it('knows a complete dump without a date, and no dump that goes on after its mark', () => {
    const finish = (text: string) => {
      const reader = mysqlDumpReader()
      reader.update(Buffer.from(text))
      return reader.finish()
    }
    assert.deepEqual(finish('-- Dump completed\n'), { rows: {} })
    for (const text of [
      '',
      '-- Dump completed',
      '-- Dump completed\nDROP TABLE a;\n',
      '-- Dump completed\nINSERT INTO `a` VALUES (1);\n',
      "SELECT '\n-- Dump completed\n",
      '/* \n-- Dump completed\n',
      'DELIMITER ;;\nSELECT 1;\n-- Dump completed\n',
    ]) {
      assert.throws(() => finish(text), { code: 'dump_incomplete' }, text)
    }
  })
})

describe('choosing statements of a dump', () => {
  const list: Table[] = [
    { name: 'a', rows: [[');\nUNLOCK TABLES;\n'], [1]], perLine: true, columns: true },
    { name: 'b`', rows: [["it's"]], perLine: false, columns: false },
  ]
  const [a, b] = list as [Table, Table]
  const text = dumpOf(list)

  it('changes nothing when everything is chosen', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.array(fc.nat(5000)), async (some, cuts) => {
        const bytes = Buffer.from(dumpOf(some))
        assert.deepEqual(await chosen(bytes, { content: 'all', tables: [] }, cuts), bytes)
      }),
    )
  })

  it('keeps a table with its rows and triggers, without routines', async () => {
    assert.equal(
      withoutBareComments(await chosenText(text, { content: 'all', tables: ['b`'] })),
      withoutBareComments(HEAD + structureOf(b) + dataOf(b) + TRIGGER + TAIL),
    )
  })

  it('keeps the schema without a row', async () => {
    const kept = await chosenText(text, { content: 'schema', tables: [] })
    assert.ok(
      !/^(INSERT|LOCK|UNLOCK|\/\*!40000 ALTER)/m.test(
        kept
          .replaceAll(TRIGGER, '')
          .replaceAll(ROUTINES, '')
          .replaceAll(structureOf(a), '')
          .replaceAll(structureOf(b), ''),
      ),
    )
    for (const part of [
      structureOf(a).trim(),
      structureOf(b).trim(),
      'TRIGGER tr',
      'PROCEDURE p',
      HEAD,
      TAIL,
    ])
      assert.ok(kept.includes(part), part)
  })

  it('keeps the rows without the schema', async () => {
    const kept = await chosenText(text, { content: 'data', tables: ['a'] })
    assert.ok(kept.startsWith(HEAD) && kept.endsWith(TAIL))
    assert.match(
      kept,
      /LOCK TABLES `a` WRITE;\s+\/\*!40000 ALTER TABLE `a` DISABLE KEYS \*\/;\s+INSERT INTO `a`/,
    )
    for (const absent of ['CREATE', 'TRIGGER', 'DROP', '`b', 'DELIMITER'])
      assert.ok(!kept.includes(absent), absent)
  })

  it('names a table that the dump does not have, at its end', async () => {
    await assert.rejects(
      chosenText(text, { content: 'all', tables: ['a', 'c'] }),
      (error: Error & { hint?: string }) => {
        assert.match(error.message, /“c”/)
        assert.match(error.hint ?? '', /a, b`/)
        return true
      },
    )
  })
})

describe('leaving tables out', () => {
  it('takes away the rows of the named tables and no others, however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.array(fc.nat(5000)), async (list, cuts) => {
        const named = list.filter((_, i) => i % 2 === 0).map(({ name }) => name)
        async function* source() {
          yield* pieces(Buffer.from(dumpOf(list)), cuts)
        }
        const reader = mysqlDumpReader()
        for await (const piece of withoutTables(source(), { tables: [], rows: named })) reader.update(piece)
        assert.deepEqual(
          reader.finish().rows,
          Object.fromEntries(
            list.filter(({ name }) => !named.includes(name)).map(({ name, rows }) => [name, rows.length]),
          ),
        )
      }),
    )
  })
})

/** The line above the one that names a section still belongs to the section before. */
function withoutBareComments(text: string): string {
  return text.replaceAll(/^(--)?\n/gm, '')
}

function* pieces(bytes: Buffer, cuts: number[]): Generator<Buffer> {
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut)
    from = Math.max(from, Math.min(cut, bytes.length))
  }
  yield bytes.subarray(from)
}

async function chosen(bytes: Buffer, choice: Choice, cuts: number[] = []): Promise<Buffer> {
  async function* source() {
    yield* pieces(bytes, cuts)
  }
  const kept: Buffer[] = []
  for await (const piece of chosenStatements(source(), choice)) kept.push(Buffer.from(piece))
  return Buffer.concat(kept)
}

async function chosenText(text: string, choice: Choice): Promise<string> {
  return String(await chosen(Buffer.from(text), choice))
}
