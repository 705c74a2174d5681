import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { requestGuarded } from '../lib/request-guarded.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { type Answering, startHttpReceiver, type HttpReceiver } from '../../test/servers/http-receiver.ts'
import type { Shown, Vendor } from '../../test/servers/vendors.ts'
import type { ChannelEnvironment, Notice, Receipt } from './channel.ts'
import { type ChannelKind, openChannel } from './index.ts'

/** A channel whose receiver runs here, and what only the receiver can tell or do. */
export interface ChannelUnderTest extends AsyncDisposable {
  kind: ChannelKind
  settings: Record<string, unknown>
  /** With a secret that the receiver does not know. */
  wrongSettings: Record<string, unknown>
  /** What must not be told by any receipt or error: those of both settings. */
  secrets: readonly string[]
  environment: ChannelEnvironment
  /** What people, or programs, have been shown. */
  shown: Shown[]
  /** From now on the receiver asks for patience, has trouble, says nothing, or refuses and repeats all that it got. */
  become(state: 'busy' | 'broken' | 'silent' | 'echoing'): void
  http?: {
    receiver: HttpReceiver
    /** The same channel, with its receiver at another origin. */
    at(origin: string): { settings: Record<string, unknown>; environment: ChannelEnvironment }
  }
}

/** What every channel promises. Each driver's test calls it once for each way of sending that it has. */
export function channelConformance(name: string, open: () => Promise<ChannelUnderTest>): void {
  const promise = (sentence: string, keep: (test: ChannelUnderTest) => Promise<void>) => {
    void it(sentence, { timeout: 60_000 }, async () => {
      await using test = await open()
      await keep(test)
    })
  }

  describe(`${name} keeps the promises of a channel`, () => {
    promise('brings title, text and facts, and says what the receiver answered', async (test) => {
      const notice = aNotice()
      const { answer, isSent } = await send(test, notice)
      assertShown(test, notice)
      assert.equal(isSent, undefined)
      assert.ok(answer.length > 10 && answer.length < 500 && answer.endsWith('.'), answer)
      assertSecret(test, answer)
    })

    for (const hostile of HOSTILE) {
      promise(`breaks no markup and pings nobody for ${JSON.stringify(hostile)}`, async (test) => {
        const notice = aNotice({
          title: `Backup of ${hostile} failed`,
          text: `The database ${hostile} was not backed up.\n${hostile}`,
          facts: [
            { label: 'Database', value: hostile },
            { label: hostile, value: 'x' },
          ],
        })
        await send(test, notice)
        assertShown(test, notice)
        assert.deepEqual(test.shown[0]?.pings, [])
      })
    }

    for (const [what, unit] of Object.entries(LONG)) {
      promise(`cuts a very long message of ${what}, rather than have it refused`, async (test) => {
        const notice = aNotice({
          title: unit.repeat(2000),
          text: `${unit.repeat(40)}\n`.repeat(1000),
          facts: [
            { label: 'Server', value: 'primary of the shop' },
            ...Array.from({ length: 60 }, (_, index) => ({
              label: `${index} ${unit.repeat(500)}`,
              value: unit.repeat(3000),
            })),
          ],
        })
        await send(test, notice)
        const text = test.shown[0]?.text ?? ''
        assert.ok(text.isWellFormed(), 'half a character')
        assert.ok(!text.includes('\ufffd'), 'half a character')
        assert.ok(text.includes(unit.repeat(10)), 'nothing of the text')
        assert.ok(text.includes('primary of the shop'), 'the first fact is gone')
      })
    }

    promise('asks for the mail server only if it sends mail', async (test) => {
      if (test.kind === 'email') return // which has to
      const mail = () => assert.fail('it asked')
      await send({ ...test, environment: { ...test.environment, mail } })
      assert.equal(test.shown.length, 1)
    })

    promise('takes a notice with a title and nothing else', async (test) => {
      await send(test, aNotice({ text: '', facts: [], url: undefined }))
      assert.equal(test.shown.length, 1)
    })

    promise('says what the receiver said to a wrong secret, which is final', async (test) => {
      const error = await fails(test, send(test, aNotice(), test.wrongSettings), ['channel_refused'])
      assert.equal(error.retryable, false)
      assert.equal(error.isFinal, true)
      assert.match(error.message, /“.{3,}”/)
      assert.equal(test.shown.length, 0)
    })

    promise('tells no secret even if the receiver repeats all it got', async (test) => {
      test.become('echoing')
      const error = await fails(test, send(test, aNotice()), ['channel_refused'])
      assert.equal(error.isFinal, true)
    })

    for (const state of ['busy', 'broken'] as const) {
      promise(`can be tried again when the receiver is ${state}`, async (test) => {
        test.become(state)
        const error = await fails(test, send(test, aNotice()), ['channel_refused', 'channel_unreachable'])
        assert.equal(error.retryable, true)
        assert.equal(error.isFinal, false)
      })
    }

    promise('gives up on a receiver that says nothing when its time is over', async (test) => {
      test.become('silent')
      const error = await fails(test, send({ ...test, environment: { ...test.environment, timeout: 200 } }), [
        'channel_unreachable',
      ])
      assert.match(error.message, /did not answer within 0\.2 seconds/)
      assert.equal(error.retryable, true)
    })

    promise('ends as soon as it is aborted, and sends nothing if it was before', async (test) => {
      const reason = new Error('stopped by the test')
      await assert.rejects(
        send(test, aNotice(), test.settings, AbortSignal.abort(reason)),
        (error) => error === reason,
      )
      assert.equal(test.http?.receiver.received.length ?? 0, 0)
      test.become('silent')
      const stop = new AbortController()
      const sent = send(test, aNotice(), test.settings, stop.signal)
      sent.catch(() => undefined) // looked at below
      await sleep(50)
      stop.abort(reason)
      await assert.rejects(sent, (error) => error === reason)
      assert.equal(test.shown.length, 0)
    })

    promise('does not go where a redirect or a name leads to credentials of a cloud', async (test) => {
      const { http, environment } = test
      if (!http) return // no redirects, and no address that a user enters
      const { receiver } = http
      for (const [status, location] of [
        [307, 'http://169.254.169.254/latest/meta-data/'],
        [302, 'http://[::ffff:169.254.169.254]/latest/meta-data/'],
        [308, 'http://metadata.test/computeMetadata/v1/'],
      ] as const) {
        receiver.answer(() => ({ status, headers: { location } }))
        await fails(test, send({ ...test, environment: { ...environment, lookup: toMetadata } }), [
          'address_refused',
        ])
      }
      const elsewhere = http.at(`http://metadata.test:${receiver.port}`)
      const before = receiver.received.length
      await fails(
        test,
        send({ ...test, ...elsewhere, environment: { ...elsewhere.environment, lookup: toMetadata } }),
        ['address_refused'],
      )
      assert.equal(receiver.received.length, before)
    })

    promise('does not call a message delivered that a redirect has lost', async (test) => {
      const { http } = test
      if (!http) return // SMTP has no redirects
      await using page = await startHttpReceiver(() => ({ status: 200, body: 'ok' }))
      http.receiver.answer(() => ({ status: 302, headers: { location: `${page.origin}/login` } }))
      const error = await fails(test, send(test, aNotice()), ['channel_refused'])
      assert.equal(error.isFinal, true)
      assert.deepEqual(page.received, [])
    })
  })
}

/** A channel that sends by HTTP to a vendor that runs here. */
export function overHttp(options: {
  kind: ChannelKind
  vendor: Vendor
  /** With the vendor at the origin. */
  settings: (origin: string) => Record<string, unknown>
  wrongSettings: (origin: string) => Record<string, unknown>
  secrets: readonly string[]
  /** Where the driver sends, whatever its settings: that is led to the vendor. */
  fixedOrigin?: string
  /** How this vendor asks for patience, if not by the header `Retry-After`. */
  busy?: Answering
}): () => Promise<ChannelUnderTest> {
  const { kind, vendor, settings, wrongSettings, secrets, fixedOrigin } = options
  return async () => {
    const shown: Shown[] = []
    const receiver = await startHttpReceiver((request) => vendor(request, (message) => shown.push(message)))
    const at = (origin: string) => ({
      settings: settings(origin),
      environment: fixedOrigin === undefined ? {} : { request: leading(fixedOrigin, origin) },
    })
    const states: Record<string, Answering> = {
      busy: options.busy ?? (() => ({ status: 429, headers: { 'retry-after': '7' }, body: 'slow down' })),
      broken: () => ({ status: 503, body: 'in maintenance' }),
      silent: () => 'hang',
      echoing: ({ path, headers, body }) => ({
        status: 400,
        body: `${path} ${decodeURIComponent(body.slice(0, 60))} ${JSON.stringify(headers)} ${path}`,
      }),
    }
    return {
      kind,
      ...at(receiver.origin),
      wrongSettings: wrongSettings(receiver.origin),
      secrets,
      shown,
      become: (state) => receiver.answer(states[state] as Answering),
      http: { receiver, at },
      [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
    }
  }
}

export function aNotice(changes: Partial<Notice> = {}): Notice {
  return {
    id: '0b0e9a3e-3f0a-4d5b-9c53-5a4a2f3f6c11',
    event: 'backup.failed',
    severity: 'failure',
    title: 'Backup of shop failed',
    text: 'pg_dump ended with exit code 1.\nIt said: “permission denied for table orders”.',
    facts: [
      { label: 'Server', value: 'primary' },
      { label: 'Database', value: 'shop' },
      { label: 'Hint', value: 'Grant SELECT on all tables.' },
    ],
    url: 'https://holdfast.example.com/jobs/1?tab=log&from=mail',
    at: '2026-03-01T02:00:00.000Z',
    thread: 'backup:0195b1f0-6a52-7c3e-9d41-2f8e7a1b3c55:shop@1772323200000',
    data: { databaseId: 'd-1', attempts: 3 },
    ...changes,
  }
}

/** Sends by a channel that is opened as the app opens it. */
export async function send(
  { kind, settings, environment }: Pick<ChannelUnderTest, 'kind' | 'settings' | 'environment'>,
  notice: Notice = aNotice(),
  others: Record<string, unknown> = settings,
  signal: AbortSignal = new AbortController().signal,
): Promise<Receipt> {
  return openChannel(kind, others, environment).send(notice, signal)
}

/** The error, which has one of the codes, and no secret in anything that is shown or logged of it. */
export async function fails(
  test: Pick<ChannelUnderTest, 'secrets'>,
  sent: Promise<unknown>,
  codes: readonly ErrorCode[],
): Promise<AppError> {
  const error: unknown = await sent.then(
    () => assert.fail('it was sent'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof AppError, String(error))
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`)
  assertSecret(test, JSON.stringify([error.message, error.hint, error.stack, String(error.cause)]))
  return error
}

const HOSTILE = [
  '<!channel>',
  '<@U012AB3CD> @channel',
  '@everyone @here',
  '</b></code><a href="javascript:alert(1)">x</a>',
  '<script>alert("1")</script> & &amp; &lt;',
  '[text](https://evil.example) ![i](x)',
  '*a* _b_ ~~c~~ `d` ||e|| ```f```',
  '> quote # title \\ \\* back',
  '<https://evil.example|text> <#C1> <!subteam^S1>',
  'x\r\nBcc: somebody@evil.example',
]

/** Of one, two, and many UTF-16 units. */
const LONG = { letters: 'a', brackets: '<', emojis: '💥', families: '👩‍👩‍👧‍👦', accents: 'e\u0301' }

function assertShown({ shown }: ChannelUnderTest, { title, text, facts }: Notice): void {
  assert.equal(shown.length, 1)
  const seen = plain(shown[0]?.text ?? '')
  const parts = [title, ...text.split('\n'), ...facts.flatMap(({ label, value }) => [label, value])]
  for (const part of parts) assert.ok(seen.includes(plain(part)), `${part}\nis not in\n${seen}`)
}

/** Without what is not seen: the kind of space, and the signs that keep words from being mentions. */
function plain(text: string): string {
  return text
    .replace(/[\u200b\u2060]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function assertSecret({ secrets }: Pick<ChannelUnderTest, 'secrets'>, text: string): void {
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is in ${text}`)
}

const toMetadata: LookupFunction = (_hostname, _options, callback) => {
  callback(null, [{ address: '169.254.169.254', family: 4 }])
}

function leading(from: string, to: string): ChannelEnvironment['request'] {
  return (url, options, signal) => {
    assert.ok(url.startsWith(`${from}/`), url)
    return requestGuarded(to + url.slice(from.length), options, signal)
  }
}
