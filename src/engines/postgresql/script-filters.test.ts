import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withMissingSchemas, withoutPublicSchema } from './script-filters.ts'

const SETTINGS = `--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n\n`
const CREATE = 'CREATE SCHEMA public;\n'
const TABLE = 'CREATE TABLE other.t (\n    a text\n);\n'
const QUOTED = `\n${CREATE}\n${TABLE}it''s `
const ROWS = `COPY other.t (a) FROM stdin;\n${CREATE}CREATE TABLE elsewhere.t (\n\\.\n\nCREATE TABLE later.t (\n);\n`

describe('a script for a new database', () => {
  const through = async (filter: typeof withMissingSchemas, script: string, size: number) => {
    const pieces = async function* () {
      const bytes = Buffer.from(script)
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    return Buffer.concat(await Array.fromAsync(filter(pieces()))).toString()
  }
  const becomes = async (filter: typeof withMissingSchemas, script: string, expected: string) => {
    for (const size of [1, 7, 1000, 1_000_000]) assert.equal(await through(filter, script, size), expected)
  }

  it('does not create public, however many schemas come before it', async () => {
    const many = Array.from(
      { length: 300 },
      (_, n) =>
        `CREATE SCHEMA "o ${n}";\n\n\nALTER SCHEMA "o ${n}" OWNER TO me;\n\n--\n-- Name: x\n--\n\nCOMMENT ON SCHEMA "o ${n}" IS '${QUOTED}';\n\n\n`,
    ).join('')
    const rest = `\n\nALTER SCHEMA public OWNER TO me;\n${TABLE}${ROWS}`
    await becomes(withoutPublicSchema, SETTINGS + many + CREATE + rest, `${SETTINGS}${many}\n${rest}`)
  })

  it('is left as it is where it only looks as if it created public', async () => {
    for (const script of [
      SETTINGS + TABLE + ROWS,
      `${SETTINGS}CREATE SCHEMA a;\nCOMMENT ON SCHEMA a IS '${QUOTED}';\n${TABLE}`,
      `${SETTINGS}CREATE FUNCTION public.f() RETURNS void AS $$\n${CREATE}$$;\n`,
      '',
    ]) {
      await becomes(withoutPublicSchema, script, script)
    }
  })

  it('creates the schemas of the tables, views and sequences that come before the first row', async () => {
    const more = `CREATE VIEW "A; ""b".v AS\n SELECT '${QUOTED}';\nCREATE SEQUENCE s.s\n    START WITH 1;\nCREATE TABLE public.t (\n);\n`
    const statements = ['other', '"A; ""b"', 's'].map((name) => `CREATE SCHEMA IF NOT EXISTS ${name};\n`)
    const objects = TABLE + more + ROWS
    await becomes(withMissingSchemas, SETTINGS + objects, SETTINGS + statements.join('') + objects)
  })

  it('is left as it is where it creates schemas or extensions itself', async () => {
    for (const first of [
      'CREATE SCHEMA a;\n',
      'CREATE EXTENSION IF NOT EXISTS cron WITH SCHEMA pg_catalog;\n',
    ]) {
      await becomes(withMissingSchemas, SETTINGS + first + TABLE + ROWS, SETTINGS + first + TABLE + ROWS)
    }
  })
})
