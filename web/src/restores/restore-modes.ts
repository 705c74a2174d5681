import type { RestoreMode } from '../../../src/shared/restores.ts'
import { msg } from '../i18n/i18n.ts'

/** What each mode is called, and what it does in one sentence. */
export const restoreModes: Record<RestoreMode, { title: string; about: string }> = {
  new: {
    title: msg('Into a new database'),
    about: msg('Makes a database that is not there yet; nothing else on the server is touched.'),
  },
  replace: {
    title: msg('In the place of a database'),
    about: msg(
      'Takes the place of a database: all that is in it now goes, and is kept in a safety snapshot if you want.',
    ),
  },
  existing: {
    title: msg('Into an existing database'),
    about: msg('Adds tables and rows to what is in a database already; the rest of it stays.'),
  },
}
