import { tokenise } from '../../lib/tokenise.ts'
import { AppError } from '../../shared/errors.ts'

/** Options of the dump tools that change how the dump is written and nothing else. */
const flags = new Set(
  `--add-drop-trigger --add-locks --allow-keywords --complete-insert -c --compress -C --copy-s3-tables --create-options
   --delayed-insert --disable-keys --dump-history --extended-insert -e --skip-extended-insert --insert-ignore --no-autocommit
   --order-by-primary --order-by-size --quote-names --replace --skip-add-drop-table --skip-add-locks --skip-disable-keys
   --skip-generated-invisible-primary-key --show-create-table-skip-secondary-engine --skip-tz-utc --tz-utc
   --skip-dump-date --dump-date --verbose -v --ignore-views --skip-triggers --skip-routines --skip-events --no-data -d
   --lock-tables --skip-lock-tables`.split(/\s+/),
)
const valued = new Set(
  `--net-buffer-length --max-allowed-packet --compression-algorithms --zstd-compression-level --network-timeout
   --as-of`.split(/\s+/),
)

const redirects = 'it redirects the dump away from Holdfast'
const files = 'it reads options from other files'
const connects = 'the connection comes from the server’s settings'
const programs = 'it loads programs into the tool'
const several = 'a plan backs up one database at a time'
const marks = 'Holdfast recognises a complete dump by its comments'
const locks = 'it stops the server’s writers'
const changes = 'it changes the server'
const wrong = 'with it errors would look like success'
const chosen = 'it is one of the plan’s own options'

/** Why certain options are refused. Whatever is in none of these lists is refused too: it is not known to be safe. */
const reasons: Record<string, string> = {
  '--result-file': redirects,
  '-r': redirects,
  '--tab': redirects,
  '-T': redirects,
  '--dir': redirects,
  '--log-error': redirects,
  '--debug': redirects,
  '-#': redirects,
  '--xml': 'a dump in XML cannot be restored',
  '-X': 'a dump in XML cannot be restored',
  '--defaults-file': files,
  '--defaults-extra-file': files,
  '--defaults-group-suffix': files,
  '--login-path': files,
  '--no-defaults': files,
  '--plugin-dir': programs,
  '--default-auth': programs,
  '--pager': programs,
  '--init-command': 'it runs any statement on the server',
  '--init-command-add': 'it runs any statement on the server',
  '--host': connects,
  '-h': connects,
  '--port': connects,
  '-P': connects,
  '--socket': connects,
  '-S': connects,
  '--user': connects,
  '-u': connects,
  '--password': connects,
  '-p': connects,
  '--protocol': connects,
  '--pipe': connects,
  '-W': connects,
  '--all-databases': several,
  '-A': several,
  '--databases': several,
  '-B': several,
  '--compact': marks,
  '--skip-comments': marks,
  '--comments': marks,
  '-i': marks,
  '--force': wrong,
  '-f': wrong,
  '--ignore-error': wrong,
  '--lock-all-tables': locks,
  '-x': locks,
  '--flush-logs': changes,
  '-F': changes,
  '--delete-master-logs': changes,
  '--delete-source-logs': changes,
  '--flush-privileges': changes,
  '--where': 'it leaves rows out without saying so',
  '-w': 'it leaves rows out without saying so',
  '--skip-opt': '--quick belongs to it: without that the tool holds each table in memory',
  '--skip-quick': 'without it the tool holds each table in memory',
  '--skip-hex-blob': 'binary values would depend on the character set',
  '--skip-single-transaction': 'the dump would not be of one moment',
  '--skip-set-charset': 'text would depend on the target’s character set',
  '-N': 'text would depend on the target’s character set',
  '--default-character-set': 'only utf8mb4 holds every text',
  '--compatible': 'it loses what other systems do not know',
  '--ignore-table': chosen,
  '--ignore-table-data': chosen,
  '--set-gtid-purged': chosen,
  '--master-data': chosen,
  '--source-data': chosen,
  '--help': 'with it nothing is dumped',
  '-?': 'with it nothing is dumped',
  '--version': 'with it nothing is dumped',
  '-V': 'with it nothing is dumped',
  '--print-defaults': 'it prints the password',
}

/** The extra options for the dump tool as arguments. Throws `tool_option_refused`, with the reason. */
export function extraDumpArguments(line: string): string[] {
  const tokens = tokenise(line)
  const args: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? ''
    const equals = token.startsWith('--') ? token.indexOf('=') : -1
    // To the tools an underscore in a name is a dash.
    const name = (equals === -1 ? token : token.slice(0, equals)).replaceAll('_', '-')
    if (flags.has(name) && equals === -1) args.push(name)
    else if (valued.has(name)) {
      const value = equals === -1 ? tokens[++i] : token.slice(equals + 1)
      if (value === undefined) throw refused(name, 'its value is missing')
      args.push(`${name}=${value}`)
    } else throw refused(name, reasonFor(name))
  }
  return args
}

function reasonFor(name: string): string {
  if (!name.startsWith('-')) return 'it is not an option; the database is chosen in the plan'
  if (!name.startsWith('--')) {
    return reasons[name.slice(0, 2)] ?? 'Holdfast does not know it to be safe'
  }
  const plain = name.replace(/^--(loose-|enable-|maximum-)+/, '--')
  const known = reasons[plain]
  if (known !== undefined) return known
  const long = [...flags, ...valued, ...Object.keys(reasons)].filter((other) => other.startsWith(name))
  return long.length > 0 && name !== '--'
    ? `it is shortened; write ${long.join(' or ')}`
    : 'Holdfast does not know it to be safe'
}

function refused(name: string, reason: string): AppError {
  return new AppError('tool_option_refused', `The option ${name} is refused: ${reason}.`, {
    hint: 'Take it out of the extra tool options.',
  })
}
