import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ErrorCode } from '../../shared/errors.ts'
import { explain } from './explain.ts'

/** What real servers and tools have said; most of the rest is met by the conformance suite. */
const said: [stderr: string, code: ErrorCode, sentence: RegExp][] = [
  [
    'pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "me"',
    'authentication_failed',
    /refused the password of user “me”/,
  ],
  [
    'pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "me"\nconnection to server at "127.0.0.1", port 5432 failed: FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "me", database "d", no encryption',
    'authentication_failed',
    /refused the password/,
  ],
  [
    'pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "me", database "d", SSL encryption',
    'permission_denied',
    /no pg_hba\.conf entry that lets user “me” in from 127\.0\.0\.1\.$/,
  ],
  [
    'pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  database "a "quoted" one" does not exist',
    'database_not_found',
    /“a "quoted" one”/,
  ],
  [
    'pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  the database system is starting up',
    'database_unreachable',
    /it is starting up/,
  ],
  [
    'pg_dump: error: aborting because of server version mismatch\npg_dump: detail: server version: 18.6; pg_dump version: 15.18',
    'tool_missing',
    /older than the server/,
  ],
  [
    'pg_dump: error: query failed: ERROR:  permission denied for table orders\npg_dump: detail: Query was: LOCK TABLE public.orders IN ACCESS SHARE MODE',
    'permission_denied',
    /table “orders”/,
  ],
  [
    'pg_restore: error: unsupported version (1.16) in file header',
    'tool_missing',
    /archive version is 1\.16/,
  ],
  [
    'pg_dump: error: no matching tables were found for pattern "nothing"',
    'nothing_matched',
    /no tables with a name that was asked for/,
  ],
  [
    'pg_restore: error: could not execute query: ERROR:  role "gone" does not exist\nCommand was: ALTER TABLE public.t OWNER TO gone;',
    'authentication_failed',
    /role “gone” does not exist/,
  ],
  [
    'psql:<stdin>:13: ERROR:  unrecognized configuration parameter "transaction_timeout"',
    'unsupported',
    /“transaction_timeout”/,
  ],
  [
    'pg_restore: error: could not execute query: ERROR:  extension "postgis" is not available\nDETAIL:  Could not open extension control file "/usr/share/postgresql/15/extension/postgis.control": No such file or directory.',
    'unsupported',
    /“postgis”/,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  query would be affected by row-level security policy for table "t"',
    'permission_denied',
    /Row security hides rows of table “t”/,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.\npg_dump: detail: Error message from server: server closed the connection unexpectedly',
    'database_unreachable',
    /closed the connection/,
  ],
]

describe('what a tool said', () => {
  it('names what a snapshot of chosen tables does not have', () => {
    for (const [lacks, named] of [
      ['type "public.mood" does not exist\nLINE 3:     mood public.mood', 'type "public.mood"'],
      ['schema "other" does not exist\nLINE 1: CREATE TABLE other.t (', 'schema "other"'],
      ['function public.stamp() does not exist', 'function public.stamp()'],
      [
        'operator class "public.gin_trgm_ops" does not exist for access method "gin"',
        'operator class "public.gin_trgm_ops"',
      ],
      ['relation "public.customers" does not exist', 'relation "public.customers"'],
    ]) {
      for (const [tool, said] of [
        ['pg_restore', `pg_restore: error: could not execute query: ERROR:  ${lacks}\nCommand was: CREATE …`],
        ['psql', `psql:<stdin>:40: ERROR:  ${lacks}`],
      ] as const) {
        const error = explain(tool, said)
        assert.equal(error?.code, 'database_error')
        assert.equal(
          error?.message,
          `The snapshot uses ${named}, which is neither in it nor in the target database.`,
        )
        assert.match(error?.hint ?? '', /chosen tables .* these alone/)
      }
    }
    assert.equal(
      explain('pg_dump', 'pg_dump: error: query failed: ERROR:  relation "public.t" does not exist'),
      undefined,
    )
    assert.equal(
      explain('pg_restore', 'ERROR:  relation "t" does not exist\nCONTEXT:  SQL function "f"'),
      undefined,
    )
  })

  for (const [stderr, code, sentence] of said) {
    it(`means ${code}: ${stderr.slice(0, 100)}`, () => {
      const error = explain('pg_dump', stderr)
      assert.equal(error?.code, code)
      assert.match(error?.message ?? '', sentence)
      assert.ok(error?.hint)
    })
  }

  it('explains itself where nothing better is known', () => {
    assert.equal(explain('pg_dump', 'pg_dump: error: something nobody has seen before'), undefined)
  })
})
