import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type Certificates, makeCertificates } from '../../../test/servers/certificates.ts'
import {
  readMail,
  type SmtpReceiverOptions,
  type SmtpReceiver,
  startSilence,
  startSmtpReceiver,
} from '../../../test/servers/smtp-receiver.ts'
import { AppError } from '../../shared/errors.ts'
import type { Smtp } from '../../shared/instance-settings.ts'
import { aNotice, channelConformance, type ChannelUnderTest, fails, send } from '../conformance.ts'
import { openChannel } from '../index.ts'

const user = 'holdfast'
const password = 'smtp-password-1'
const to = ['dba@example.com', 'ops@example.com']
let certificates: Certificates
const trusted = getCACertificates('default')

before(async () => {
  certificates = await makeCertificates()
  setDefaultCACertificates([...trusted, certificates.ca])
})
after(() => setDefaultCACertificates(trusted))

interface MailTest extends ChannelUnderTest {
  server: SmtpReceiver
  /** The same channel, with other settings of the server. */
  by(changes: Partial<Smtp>): Promise<string>
}

async function open(options: Partial<SmtpReceiverOptions> = {}): Promise<MailTest> {
  const server = await startSmtpReceiver({ certificate: certificates.server, user, password, ...options })
  const silence = await startSilence()
  const mail: Smtp = {
    host: '127.0.0.1',
    port: server.port,
    tls: options.tls ?? 'starttls',
    user,
    password,
    from: 'Holdfast <holdfast@example.com>',
  }
  const test: MailTest = {
    kind: 'email',
    settings: { to },
    wrongSettings: { to: ['nobody@example.com'] },
    secrets: [password, Buffer.from(password).toString('base64')],
    environment: { mail: async () => mail },
    get shown() {
      return server.received.map(({ source }) => {
        const { headers, text } = readMail(source)
        return { text: `${headers.get('subject')}\n${text}`, pings: bcc(source) }
      })
    },
    become(state) {
      if (state === 'silent') test.environment = { mail: async () => ({ ...mail, port: silence.port }) }
      if (state === 'busy') server.refuse({ recipient: () => ({ code: 450, text: '4.2.1 Greylisted' }) })
      if (state === 'broken') server.refuse({ mail: () => ({ code: 451, text: '4.3.0 Disk trouble' }) })
      if (state === 'echoing') {
        server.refuse({ mail: (source) => ({ code: 554, text: `${password} ${source.slice(0, 200)}` }) })
      }
    },
    server,
    by: async (changes) => {
      const environment = { mail: async () => ({ ...mail, ...changes }) }
      return (await send({ ...test, environment })).answer
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([server, silence].map((each) => each[Symbol.asyncDispose]()))
    },
  }
  server.refuse({
    recipient: (address) =>
      address === 'nobody@example.com' ? { code: 550, text: '5.1.1 No such user here' } : undefined,
  })
  return test
}

/** What a line break in a text must not become. */
function bcc(source: string): string[] {
  return source.slice(0, source.indexOf('\r\n\r\n')).match(/^bcc:.*/gim) ?? []
}

channelConformance('E-mail by STARTTLS', () => open())

describe('E-mail', { timeout: 60_000 }, () => {
  it('goes over TLS from the start, by STARTTLS, or in the clear, as it was told', async () => {
    for (const tls of ['tls', 'starttls', 'none'] as const) {
      await using test = await open({ tls })
      assert.match(await test.by({ tls }), /took it for 2 recipients: “250 .*queued as 4F2A”/)
      assert.deepEqual(
        test.server.received.map(({ encrypted, user, to }) => ({ encrypted, user, to })),
        [{ encrypted: tls !== 'none', user, to }],
      )
    }
  })

  it('sends nothing, least of all the password, where STARTTLS is not offered', async () => {
    await using test = await open({ tls: 'none' })
    const error = await fails(test, test.by({ tls: 'starttls' }), ['tls_failed'])
    assert.match(error.hint ?? '', /does not offer STARTTLS/)
    assert.deepEqual(test.server.received, [])
  })

  it('refuses a certificate that it does not trust, or of another host', async () => {
    setDefaultCACertificates([...trusted, certificates.otherCa])
    try {
      for (const tls of ['tls', 'starttls'] as const) {
        await using other = await open({ tls })
        await fails(other, other.by({ tls }), ['tls_failed'])
        assert.deepEqual(other.server.received, [])
      }
      const elsewhere = await makeCertificates({ serverNames: ['mail.example.com'] })
      setDefaultCACertificates([...trusted, elsewhere.ca])
      await using other = await open({ certificate: elsewhere.server })
      const error = await fails(other, other.by({}), ['tls_failed'])
      assert.match(error.message, /altnames/)
      assert.deepEqual(other.server.received, [])
    } finally {
      setDefaultCACertificates([...trusted, certificates.ca])
    }
  })

  it('says that the password is wrong without saying it', async () => {
    await using test = await open()
    const error = await fails(test, test.by({ password: 'smtp-password-1-wrong' }), ['channel_refused'])
    assert.match(error.message, /535 .*Wrong password \*\*\* of holdfast/)
    assert.equal(error.isFinal, true)
  })

  it('names who was refused, and who has got it all the same', async () => {
    await using test = await open()
    const sent = send(test, undefined, { to: [...to, 'nobody@example.com'] })
    const error = await fails(test, sent, ['channel_refused'])
    assert.match(
      error.message,
      /took it for dba@example\.com, ops@example\.com, but not for nobody@example\.com \(“550 .*No such user here”\)/,
    )
    assert.equal(error.isFinal, true)
    assert.deepEqual(test.server.received[0]?.to, to)
  })

  it('is not sent again to those who have it, also if others were refused for now', async () => {
    await using test = await open()
    test.server.refuse({
      recipient: (address) => (address === to[1] ? { code: 450, text: '4.2.1 Greylisted' } : undefined),
    })
    const error = await fails(test, send(test), ['channel_refused'])
    assert.match(error.message, /took it for dba@example\.com, but not for ops@example\.com \(“450 .*Grey/)
    assert.match(error.hint ?? '', /not sent again, since the others have it/)
    assert.deepEqual([error.isFinal, error.retryable], [true, false])
    assert.deepEqual(test.server.received[0]?.to, [to[0]])
  })

  it('is sent again where nobody has it, and some were refused only for now', async () => {
    await using test = await open()
    test.server.refuse({
      recipient: (address) =>
        address === to[1]
          ? { code: 450, text: '4.2.1 Greylisted' }
          : { code: 550, text: '5.1.1 No such user here' },
    })
    const error = await fails(test, send(test), ['channel_refused'])
    assert.match(error.message, /not take it for dba@example\.com \(“550 .*\), ops@example\.com \(“450 /)
    assert.deepEqual([error.isFinal, error.retryable], [false, true])
    assert.deepEqual(test.server.received, [])
  })

  it('shows the mails of one story together, each with an id that stays in every try', async () => {
    await using test = await open()
    const first = aNotice()
    const recovery = aNotice({ id: '1f0b7c55-6f5d-4b57-9a27-9b3f6c1f2a10', severity: 'recovery' })
    const other = aNotice({ id: '2b0b7c55-6f5d-4b57-9a27-9b3f6c1f2a11', thread: 'backup/crm' })
    for (const notice of [first, first, recovery, other]) await send(test, notice)
    const headers = test.server.received.map(({ source }) => readMail(source).headers)
    const [ids, threads] = ['message-id', 'references'].map((name) => headers.map((each) => each.get(name)))
    assert.match(ids?.[0] ?? '', /^<notice\.[0-9a-f]+@example\.com>$/)
    assert.equal(ids?.[0], ids?.[1])
    assert.equal(new Set(ids).size, 3)
    assert.equal(threads?.[0], threads?.[2])
    assert.notEqual(threads?.[0], threads?.[3])
    assert.deepEqual(
      headers.map((each) => each.get('in-reply-to')),
      threads,
    )
  })

  it('has an HTML part in which nothing of a text is markup', async () => {
    await using test = await open()
    await send(test, aNotice({ title: '<b>x</b>', text: '"><img src=x onerror=alert(1)>', facts: [] }))
    const { html } = readMail(test.server.received[0]?.source ?? '')
    assert.ok(html.includes('<h2>&lt;b&gt;x&lt;/b&gt;</h2>'), html)
    assert.ok(html.includes('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;'), html)
    assert.ok(html.includes('href="https://holdfast.example.com/jobs/1?tab=log&amp;from=mail"'), html)
  })

  it('says what to do if no mail server is set', async () => {
    await using test = await open()
    for (const environment of [{}, { mail: async () => undefined }]) {
      const error = await fails(test, send({ ...test, environment }), ['invalid_input'])
      assert.match(error.message, /No mail server is set/)
      assert.match(error.hint ?? '', /SMTP/)
      assert.equal(error.isFinal, true)
    }
  })

  it('asks for the mail server as it is when something is sent, and says why it is not known', async () => {
    await using test = await open()
    let failure: Error | undefined = new AppError('key_wrong', 'The password of mail cannot be opened.')
    const mail = async () => {
      if (failure) throw failure
      return await test.environment.mail?.()
    }
    const channel = openChannel('email', test.settings, { mail })
    const signal = new AbortController().signal
    await assert.rejects(channel.send(aNotice(), signal), failure)
    failure = undefined
    await channel.send(aNotice(), signal)
    assert.equal(test.server.received.length, 1)
  })
})
