import { constants } from 'node:sqlite'
import { buffer } from 'node:stream/consumers'
import { messageOf } from '../../shared/errors.ts'
import { openWritable } from './open.ts'

// Started by run-sql.ts: runs the SQL of standard input in the file that the argument names.
const [path = ''] = process.argv.slice(2)
try {
  const sql = await buffer(process.stdin)
  using database = openWritable(path)
  // Other files of this machine are none of the SQL's business: no ATTACH, no VACUUM INTO. A plain VACUUM attaches ''.
  database.db.setAuthorizer((action, name) =>
    action === constants.SQLITE_ATTACH && name !== '' ? constants.SQLITE_DENY : constants.SQLITE_OK,
  )
  database.db.exec(sql.toString('utf8'))
  if (database.db.isTransaction) database.db.exec('COMMIT')
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
