import { createConnection, type RowDataPacket } from 'mysql2/promise'
import type { MysqlLikeServer } from '../../../test/servers/mysql-like.ts'
import type { EngineBed } from '../conformance.ts'
import type { Engine } from '../engine.ts'
import { mysql } from './index.ts'
import { AWKWARD, fingerprintOf } from './test-data.ts'

/** Backslashes and quotes that break option files, and what breaks URLs. */
const AWKWARD_PASSWORD = `p#;'"\\n[x]=%41 ü🎉\\\\`

/** A server for the conformance suite. Its tools are found besides those of the machine. */
export async function mysqlBed(server: MysqlLikeServer): Promise<EngineBed> {
  addToolFolder(server.programs)
  const { host, port, user, password } = server
  const connection = { host, port, user, password }
  const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``
  const admin = (statements: string[]) => inSession(server, statements)
  await admin([
    `CREATE USER nobody@'127.0.0.1' IDENTIFIED BY '${AWKWARD_PASSWORD.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  ])
  const create = async (database: string, statements: string[]) => {
    await admin([
      `CREATE DATABASE ${quoted(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
      `USE ${quoted(database)}`,
      `SET sql_mode = ''`,
      `SET time_zone = '+00:00'`,
      ...statements,
    ])
  }
  return {
    engine: mysql as unknown as Engine,
    connection,
    secrets: [password, AWKWARD_PASSWORD],
    formats: [{ title: 'plain', options: {} }],
    fill: (database) => create(database, AWKWARD),
    createEmpty: (database) => create(database, []),
    fillWithHugeRow: (database) =>
      create(database, [
        'CREATE TABLE huge (id INT PRIMARY KEY, bytes LONGBLOB)',
        `INSERT INTO huge VALUES (1, REPEAT(UNHEX('00FF275C0A'), ${(20 * 1024 * 1024) / 5}))`,
      ]),
    fillLarge: (database) =>
      create(database, [
        'CREATE TABLE a_large (id INT PRIMARY KEY, text LONGTEXT)',
        ...Array.from(
          { length: 18 },
          (_, i) => `INSERT INTO a_large VALUES (${i}, REPEAT('${i} it''s text ', 70000))`,
        ),
        'CREATE TABLE z_other (id INT)',
        'INSERT INTO z_other VALUES (1)',
      ]),
    fingerprint: (database) => fingerprintOf((sql) => server.query(sql), database),
    async dropTableDuring(database) {
      await admin([`DROP TABLE ${quoted(database)}.z_other`])
    },
    killServer: async () => {
      process.kill(server.process.pid, 'SIGKILL')
    },
    connections: [
      {
        title: 'a wrong password',
        connection: { ...connection, password: 'wrong' },
        fails: 'authentication_failed',
      },
      { title: 'a closed port', connection: { ...connection, port: 1 }, fails: 'database_unreachable' },
      {
        title: 'a name that does not exist',
        connection: { ...connection, host: 'no-such-host.invalid' },
        fails: 'database_unreachable',
      },
      { title: 'without TLS', connection: { ...connection, tls: 'disable' } },
    ],
    unprivileged: {
      connection: { ...connection, user: 'nobody', password: AWKWARD_PASSWORD },
      run: async (_, statement) => admin([statement]),
    },
    refused: [
      '--result-file=/tmp/x',
      '-r/tmp/x',
      '--result_file=/tmp/x',
      '--tab=/tmp',
      '--defaults-extra-file=/tmp/x',
      '--plugin-dir=/tmp',
      '--init-command="DROP DATABASE x"',
      '--all-databases',
      '--skip-comments',
      '--force',
      '--loose-result-file=/tmp/x',
      '--resul=/tmp/x',
      'another_database',
      '--',
    ].map((extra) => ({ title: extra, options: { extra } })),
    intrusions: (path) => [
      `\\! echo yours > ${path}`,
      `system echo yours > ${path}`,
      `\\T ${path}\nselect 1;`,
      `tee ${path}\nselect 1;`,
      `pager cat > ${path}\nselect 1;`,
      `source ${path}`,
      `load data local infile '${path}' into table marks`,
    ],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Runs the statements in one session, so that its settings hold for all of them. */
async function inSession(
  { host, port, user, password }: MysqlLikeServer,
  statements: string[],
): Promise<void> {
  const connection = await createConnection({ host, port, user, password, charset: 'utf8mb4' })
  try {
    for (const statement of statements) await connection.query<RowDataPacket[]>(statement)
  } finally {
    await connection.end()
  }
}

/** For findTools: a folder besides those of the machine. */
export function addToolFolder(folder: string): void {
  const folders = (process.env['HOLDFAST_TOOL_PATH'] ?? '').split(':').filter((one) => one !== '')
  process.env['HOLDFAST_TOOL_PATH'] = [...new Set([...folders, folder])].join(':')
}
