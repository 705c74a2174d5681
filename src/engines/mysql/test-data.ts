/** Everything about a database that a dump may lose, one statement per element. Works on MySQL and MariaDB. */
export const AWKWARD = [
  `CREATE TABLE numbers (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, tiny TINYINT, huge BIGINT UNSIGNED,
     exact DECIMAL(65, 30), approximate DOUBLE, single FLOAT, bits BIT(64), flag BOOLEAN, filled INT(8) ZEROFILL)`,
  `INSERT INTO numbers VALUES (1, -128, 18446744073709551615, 12345678901234567890123456789012345.123456789012345678901234567890,
     1.7976931348623157e308, 0.1, b'1000000000000000000000000000000000000000000000000000000000000001', true, 42),
     (18446744073709551000, NULL, 0, -0.000000000000000000000000000001, 5e-324, -1e38, b'0', false, NULL)`,
  `CREATE TABLE texts (id INT PRIMARY KEY, plain TEXT, utf8 VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
     latin VARCHAR(50) CHARACTER SET latin1, wide VARCHAR(50) CHARACTER SET utf16, fixed CHAR(5), choice ENUM('a', 'it''s', 'c,d'),
     several SET('x', 'y z'), document JSON, note VARCHAR(20) DEFAULT 'a''b\\\\' COMMENT 'it''s; -- no
comment (\`') CHARACTER SET utf8mb4`,
  `INSERT INTO texts VALUES
     (1, 'it''s\\\\ "quoted" \\n\\r\\t\\0\\Z;\\n-- Dump completed on 2020-01-01  0:00:00\\n', '🎉 данные', 'Größe', '🎉', 'ab', 'it''s', 'x,y z', '{"k": [1, "\\\\"", null]}', DEFAULT),
     (2, '', '', '', '', '', 'c,d', '', 'null', ''),
     (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
     (4, '),(5,(\\nINSERT INTO \`numbers\` VALUES (7);\\nUNLOCK TABLES;\\nDELIMITER ;;\\n', 'x', 'x', 'x', 'x', 'a', 'x', '[]', ';')`,
  `CREATE TABLE moments (id INT PRIMARY KEY, at DATETIME(6), stamped TIMESTAMP(3) NULL, day DATE, clock TIME(6), calendar YEAR)`,
  `INSERT INTO moments VALUES (1, '2024-02-29 23:59:59.999999', '2038-01-19 03:14:07.123', '9999-12-31', '-838:59:59', 2155),
     (2, '0000-00-00 00:00:00', NULL, '0000-00-00', '00:00:00', 0), (3, '2024-00-15 10:00:00', NULL, '2024-00-00', NULL, NULL)`,
  `CREATE TABLE \`odd \`\`na'me" 🙂\` (\`col \`\`umn\` INT, \`(\` INT, \`select\` INT, KEY \`odd ke'y\` (\`(\`)) CHARACTER SET utf8mb4`.replace(
    ' 🙂',
    ' ñ',
  ),
  'INSERT INTO `odd ``na\'me" ñ` VALUES (1, 2, 3), (4, 5, 6)',
  `CREATE TABLE binaries (id INT PRIMARY KEY, small VARBINARY(300), fixed BINARY(4), large LONGBLOB, shape GEOMETRY)`,
  `INSERT INTO binaries VALUES (1, UNHEX('00FF275C0A0D1A'), 'a', REPEAT(UNHEX('00FF275C'), 100000), ST_GeomFromText('POINT(1 2)')), (2, '', '', '', NULL)`,
  `CREATE TABLE computed (a INT PRIMARY KEY, kept INT AS (a * 2) STORED, made VARCHAR(30) AS (CONCAT('v', a)) VIRTUAL, b INT, UNIQUE KEY (kept))`,
  `INSERT INTO computed (a, b) VALUES (1, 10), (2, 20)`,
  `CREATE TABLE parent (id INT PRIMARY KEY) ENGINE = InnoDB`,
  `CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT up FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE, CHECK (id > 0)) ENGINE = InnoDB`,
  `INSERT INTO parent VALUES (1), (2)`,
  `INSERT INTO child VALUES (1, 1), (2, NULL)`,
  `CREATE TABLE partitioned (id INT, year INT, PRIMARY KEY (id, year)) PARTITION BY RANGE (year) (PARTITION old VALUES LESS THAN (2020), PARTITION new VALUES LESS THAN MAXVALUE)`,
  `INSERT INTO partitioned VALUES (1, 1999), (2, 2024)`,
  `CREATE TABLE old_engine (id INT AUTO_INCREMENT PRIMARY KEY, words TEXT, FULLTEXT KEY (words)) ENGINE = MyISAM`,
  `INSERT INTO old_engine (words) VALUES ('not transactional')`,
  `CREATE TABLE empty_table (id INT)`,
  `CREATE TABLE log (message TEXT)`,
  `CREATE TRIGGER logged BEFORE INSERT ON child FOR EACH ROW BEGIN INSERT INTO log VALUES (CONCAT('it''s; ', NEW.id)); END`,
  `CREATE VIEW a_view AS SELECT z_view.a, 'it''s; */ x' AS b FROM (SELECT 1 AS a) AS z_view`.replace(
    '(SELECT 1 AS a) AS z_view',
    'computed AS z_view',
  ),
  `CREATE VIEW b_view AS SELECT * FROM a_view`,
  `CREATE PROCEDURE \`pro ce'dure\` (IN x INT) BEGIN
  -- it's a comment; with a quote
  # another's
  /* and ; one */ SELECT ';;', "double ;; quoted", x;
  INSERT INTO log VALUES ('
INSERT INTO \`numbers\` VALUES (1);
');
END`,
  `CREATE FUNCTION double_it (x INT) RETURNS INT DETERMINISTIC RETURN x * 2`,
  `CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'it''s' DO DELETE FROM log`,
]

/** Statements of which the schema consists, and for each table the query that gives its rows as text. */
export type Query = (sql: string) => Promise<Record<string, unknown>[]>

/** The whole schema and every row, as lines. */
export async function fingerprintOf(query: Query, database: string): Promise<string[]> {
  const lines: string[] = []
  const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``
  const literal = `'${database.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  const show = async (statement: string) => {
    const [row] = await query(statement)
    const text = Object.entries(row ?? {})
      .filter(([column]) => !/^(Created|SQL Original Statement)$/.test(column))
      .map(([column, value]) => `${column}=${String(value)}`)
    lines.push(
      text
        .join(' | ')
        .replaceAll(`${quoted(database)}.`, '`the database`.')
        // MySQL says both after a restore, but a collation says it all.
        .replaceAll(/ CHARACTER SET \w+ COLLATE /g, ' COLLATE '),
    )
  }
  const tables = await query(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${literal} ORDER BY TABLE_NAME`,
  )
  for (const { name, type } of tables as { name: string; type: string }[]) {
    await show(`SHOW CREATE TABLE ${quoted(database)}.${quoted(name)}`)
    if (type === 'VIEW') continue
    const columns = (await query(
      `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${literal} AND TABLE_NAME = '${name.replaceAll("'", "''")}' ORDER BY ORDINAL_POSITION`,
    )) as { name: string }[]
    // The bytes themselves where they are short, else their hash.
    const values = columns.map(
      ({ name: column }) =>
        `IFNULL(IF(LENGTH(${quoted(column)}) < 300, HEX(CAST(${quoted(column)} AS BINARY)), SHA2(${quoted(column)}, 256)), 'NULL')`,
    )
    const rows = await query(
      `SELECT CONCAT_WS(',', ${values.join(', ')}) AS line FROM ${quoted(database)}.${quoted(name)}`,
    )
    lines.push(...rows.map(({ line }) => `${name}: ${String(line)}`).sort())
  }
  const routines = await query(
    `SELECT ROUTINE_TYPE AS type, ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${literal} ORDER BY 1, 2`,
  )
  for (const { type, name } of routines as { type: string; name: string }[]) {
    await show(`SHOW CREATE ${type} ${quoted(database)}.${quoted(name)}`)
  }
  const triggers = await query(
    `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${literal} ORDER BY 1`,
  )
  for (const { name } of triggers as { name: string }[])
    await show(`SHOW CREATE TRIGGER ${quoted(database)}.${quoted(name)}`)
  const events = await query(
    `SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${literal} ORDER BY 1`,
  )
  for (const { name } of events as { name: string }[])
    await show(`SHOW CREATE EVENT ${quoted(database)}.${quoted(name)}`)
  return lines
}
