import type { Volume } from '../volumes/volume.ts'
import { exists, once } from './manifests.ts'

export const RESTORE_TEXT = 'RESTORE.txt'

const text = `These are database backups made by Holdfast. They can be restored without Holdfast.

Beside each backup lies a <name>.manifest.json, which says in plain JSON what it is: which database of which
server and version, which tool wrote it, how it is compressed and encrypted, its size and its SHA-256.

Take the wrappers off from the right of the name to the left.

  1. Check it            sha256sum <name>          must print "stored.sha256" of the manifest
  2. .age                age -d -i identity.txt <name> > dump        (a passphrase: age -d <name> > dump)
     .7z                 7zz x <name>              and type the password when asked
                         The password of a key that begins with base64: is that key in hex:
                         printf %s "\${BACKUP_ENCRYPTION_KEY#base64:}" | base64 -d | od -An -v -tx1 | tr -d ' \\n'
  3. .zst                zstd -d <name>
     .gz                 gunzip <name>
  4. PostgreSQL  .dump   createdb new && pg_restore --no-owner --dbname new <name>
                 .tar    mkdir d && tar -xf <name> -C d && createdb new && pg_restore --dbname new d
                 .sql    createdb new && psql -X --set ON_ERROR_STOP=1 --dbname new --file <name>
                 @globals….sql   psql -X --dbname postgres --file <name>      (roles and tablespaces)
     MySQL, MariaDB .sql mariadb-admin create new && mariadb --binary-mode new < <name>
     SQLite      .db     is the database file itself

In one pipe:             age -d -i identity.txt app.dump.zst.age | zstd -d | pg_restore --dbname new

With Holdfast:           holdfast restore once <id or key> --from <this volume> --into <database-url>
`

/** Puts the words that lead back to the data beside the snapshots, unless they are there already. */
export async function writeRestoreText(volume: Volume, signal: AbortSignal): Promise<void> {
  if (await exists(volume, RESTORE_TEXT, signal)) return
  await volume.write(RESTORE_TEXT, { body: once(Buffer.from(text)) }, signal)
}
