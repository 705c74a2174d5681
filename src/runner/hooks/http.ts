import { z } from 'zod'
import { redact } from '../../lib/redact.ts'
import { requestGuarded } from '../../lib/request-guarded.ts'
import { signatureHeaders } from '../../lib/signature.ts'
import { AppError } from '../../shared/errors.ts'
import { httpUrl } from '../../shared/fields.ts'
import { secret } from '../../shared/secrets.ts'
import { defineHook } from './hook.ts'

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What the request is made of, and who has signed it, is for us to say. */
const OURS = new Set(['content-length', 'host', 'transfer-encoding', 'connection', 'content-type'])

const headerName = z
  .string()
  .max(200)
  .regex(HEADER_NAME, 'is not the name of a header')
  .refine((name) => !OURS.has(name.toLowerCase()), 'is set by Holdfast')
  .refine((name) => !name.toLowerCase().startsWith('x-holdfast-'), 'is set by Holdfast')

const config = z.strictObject({
  url: httpUrl()
    .refine((text) => new URL(text).username === '' && new URL(text).password === '', {
      error: 'must not contain a user or a password: use a header',
    })
    .meta({ title: 'URL', addressee: true }),
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').meta({ title: 'Method' }),
  headers: z
    .record(
      headerName,
      secret('Value')
        .max(4000)
        .regex(/^[\x20-\x7e]*$/, 'must be letters, digits and signs'),
    )
    .default({})
    .meta({ title: 'Headers', description: 'Their values are kept secret' }),
  secret: secret('Secret', 'Signs each request, so that the receiver can tell that it is ours')
    .min(8, 'must have at least 8 characters')
    .max(1000)
    .optional(),
})

/** So many characters of what the receiver says are kept, and so many bytes of it read. */
const LONGEST_ANSWER = 300
const MOST_READ = 4096

/** A request to a receiver of the user's own, with all facts as JSON. */
export const http = defineHook({
  label: 'HTTP call',
  config,
  async run({ url, method, headers, secret }, { name, around, moment, facts }, job) {
    const body = JSON.stringify({ hook: name, around, moment, at: new Date().toISOString(), facts })
    const { status, ...answer } = await requestGuarded(
      url,
      {
        method,
        headers: {
          ...headers,
          'content-type': 'application/json',
          ...(secret !== undefined && signatureHeaders(secret, body)),
        },
        body,
        timeout: 86_400_000, // the hook's own ends it earlier
        maxAnswer: MOST_READ,
      },
      job.signal,
    )
    const isCut = Buffer.byteLength(answer.body) >= MOST_READ
    const line = firstLine(redact(answer.body, secretsIn(headers, secret), { isCut }))
    const said = line === '' ? '' : `: “${line}”`
    if (status < 200 || status > 299) {
      throw new AppError('hook_failed', `${answer.host} answered with status ${status}${said}`)
    }
    job.log('info', `${answer.host} answered with status ${status}${said}.`)
  },
})

function firstLine(text: string): string {
  const [line = ''] = text.trimStart().split(/[\r\n]/)
  return line.length > LONGEST_ANSWER ? `${line.slice(0, LONGEST_ANSWER)} …` : line.trimEnd()
}

/** What a receiver may repeat that was sent it: of `Bearer abc`, also the token alone. */
function secretsIn(headers: Record<string, string>, secret: string | undefined): (string | undefined)[] {
  const values = Object.values(headers)
  const words = values.flatMap((value) => value.split(/[\s,;:="]+/)).filter((word) => word.length >= 8)
  return [secret, ...values, ...words]
}
