import { tokenise } from '../../lib/tokenise.ts'
import { AppError } from '../../shared/errors.ts'

/** Options of pg_dump that change what is in the dump and nothing else. */
const flags = new Set(
  `-a --data-only -b --large-objects --blobs -B --no-large-objects --no-blobs -O --no-owner -s --schema-only -v --verbose
   -x --no-privileges --no-acl --attribute-inserts --column-inserts --disable-dollar-quoting --disable-triggers --inserts
   --load-via-partition-root --no-comments --no-data --no-policies --no-publications --no-schema --no-security-labels
   --no-statistics --no-subscriptions --no-table-access-method --no-tablespaces --no-toast-compression
   --no-unlogged-table-data --on-conflict-do-nothing --quote-all-identifiers --sequence-data --serializable-deferrable
   --statistics --statistics-only --strict-names --use-set-session-authorization`.split(/\s+/),
)
const valued = new Set(
  `-e --extension --exclude-extension -E --encoding -n --schema -N --exclude-schema -t --table --table-and-children
   -T --exclude-table --exclude-table-and-children --exclude-table-data --exclude-table-data-and-children
   --extra-float-digits --include-foreign-data --lock-wait-timeout --role --rows-per-insert -S --superuser --section`.split(
    /\s+/,
  ),
)

const connects = 'the connection comes from the server’s settings'
const chosen = 'it is one of the plan’s own options'
const redirects = 'it redirects the dump away from Holdfast'
const talks = 'with it nothing is dumped, and that would look like success'
const restores = 'this is chosen when restoring'

/** Why certain options are refused. Whatever is in none of these lists is refused too: it is not known to be safe. */
const reasons: Record<string, string> = {
  '-f': redirects,
  '--file': redirects,
  '--filter': 'it reads further options from a file',
  '-d': connects,
  '--dbname': connects,
  '-h': connects,
  '--host': connects,
  '-p': connects,
  '--port': connects,
  '-U': connects,
  '--username': connects,
  '-w': connects,
  '--no-password': connects,
  '-W': 'nobody could answer when it asks for the password',
  '--password': 'nobody could answer when it asks for the password',
  '-F': chosen,
  '--format': chosen,
  '-j': chosen,
  '--jobs': chosen,
  '-Z': 'the plan’s own compression is better, and rows are counted on the way',
  '--compress': 'the plan’s own compression is better, and rows are counted on the way',
  '-c': restores,
  '--clean': restores,
  '-C': restores,
  '--create': restores,
  '--if-exists': restores,
  '-?': talks,
  '--help': talks,
  '-V': talks,
  '--version': talks,
  '--enable-row-security': 'it leaves rows out without saying so',
  '--snapshot': 'the snapshot it names belongs to another session',
}

/**
 * The extra options for pg_dump as arguments. Throws `tool_option_refused` for those that would redirect the output,
 * read option files, or leave Holdfast unable to say what the dump is, and for those that it does not know.
 */
export function extraDumpArguments(line: string): string[] {
  const tokens = tokenise(line)
  const args: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? ''
    const equals = token.startsWith('--') ? token.indexOf('=') : -1
    const name = equals === -1 ? token : token.slice(0, equals)
    if (flags.has(name) && equals === -1) {
      args.push(name)
    } else if (valued.has(name)) {
      const value = equals === -1 ? tokens[++i] : token.slice(equals + 1)
      if (value === undefined) throw refused(name, 'its value is missing')
      args.push(...(name.startsWith('--') ? [`${name}=${value}`] : [name, value]))
    } else throw refused(name, reasonFor(name))
  }
  return args
}

function reasonFor(name: string): string {
  const reason = reasons[name] ?? reasons[name.slice(0, 2)]
  if (reason && (name.startsWith('--') ? reasons[name] : true)) return reason
  if (!name.startsWith('-')) return 'it is not an option; the database is chosen in the plan'
  const long = [...flags, ...valued, ...Object.keys(reasons)].filter(
    (known) => known.startsWith(name) && known !== name,
  )
  if (name.startsWith('--') && name !== '--' && long.length > 0)
    return `it is shortened; write ${long.join(' or ')}`
  if (!name.startsWith('--') && name.length > 2)
    return 'short options are written apart, each with its value as a word of its own'
  return 'Holdfast does not know it to be safe'
}

function refused(name: string, reason: string): AppError {
  return new AppError('tool_option_refused', `The option ${name} of pg_dump is refused: ${reason}.`, {
    hint: 'Take it out of the extra tool options.',
  })
}
