import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { Received, Reply } from './http-receiver.ts'

/*
 * What the receivers of notifications demand of a request, according to their documentation, and what they answer. Each
 * shows an accepted message as its users see it: markup is gone, and whom it pings is told.
 */

/** As people see it. */
export interface Shown {
  text: string
  pings: string[]
}

/** A request that the vendor would refuse is answered as it does. */
export type Vendor = (request: Received, show: (shown: Shown) => void) => Reply

export const secrets = {
  slackPath: '/services/T00000000/B00000000/slacksecretslacksecret24',
  discordPath: '/api/webhooks/123456789012345678/discord-secret_token-in-the-path',
  discordBot: 'MTIzNDU2Nzg5.discord.bot-token-bot-token',
  telegramBot: '123456789:telegram-bot-token-telegram-bot-tok',
  teamsQuery: 'api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sig=teams-signature-secret',
  pushoverToken: 'pushovertokenpushovertoken0000',
  pushoverUser: 'pushoveruserpushoveruser000000',
  gotify: 'AgotifyTokenGotify',
  ntfy: 'tk_ntfytokenntfytokenntfytokenn',
  webhook: 'webhook-secret-webhook-secret',
  ping: '5e1f0000-aaaa-4bbb-8ccc-0123456789ab',
} as const

type Json = Record<string, unknown>

/** Throws `Fault`, which is answered with the status and body that the vendor has for it. */
class Fault extends Error {
  readonly reply: Reply
  constructor(reply: Reply) {
    super(reply.body ?? '')
    this.reply = reply
  }
}

function vendor(accept: (request: Received, show: (shown: Shown) => void) => Reply): Vendor {
  return (request, show) => {
    try {
      return accept(request, show)
    } catch (error) {
      if (error instanceof Fault) return error.reply
      if (error instanceof assert.AssertionError) return { status: 400, body: error.message }
      throw error
    }
  }
}

const replyJson = (status: number, body: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

function jsonOf(request: Received, refuse: (reason: string) => Reply): Json {
  if (request.method !== 'POST') throw new Fault(refuse('method'))
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new Fault(refuse('content type'))
  }
  return JSON.parse(request.body) as Json
}

/** Docs: incoming webhooks, Block Kit, formatting text for app surfaces. */
export const slackVendor = vendor((request, show) => {
  const refuse = (reason: string): Reply => ({ status: 400, body: reason })
  const body = jsonOf(request, () => refuse('invalid_payload'))
  if (request.path !== secrets.slackPath) return { status: 404, body: 'no_service' }
  const pings: string[] = []
  const read = (text: unknown, limit: number): string => {
    if (typeof text !== 'string' || text === '' || text.length > limit)
      throw new Fault(refuse('invalid_blocks'))
    pings.push(
      ...(text.match(/<[!@][^>]*>/g) ?? []),
      ...(text.match(/(?<!\w)@(channel|here|everyone)/g) ?? []),
    )
    if (/[<>]|&(?!amp;|lt;|gt;)/.test(text)) throw new Fault(refuse('markup in plain text'))
    return entities(text)
  }
  if (typeof body['text'] !== 'string') return refuse('no_text')
  const blocks = body['blocks'] as Json[]
  if (blocks.length > 50) return refuse('invalid_blocks')
  const lines: string[] = []
  for (const block of blocks) {
    const text = block['text'] as Json | undefined
    if (block['type'] === 'header') {
      if (text?.['type'] !== 'plain_text') return refuse('invalid_blocks')
      lines.push(read(text['text'], 150))
    } else if (block['type'] === 'section') {
      const fields = (block['fields'] ?? []) as Json[]
      if (fields.length > 10 || (!text && fields.length === 0)) return refuse('invalid_blocks')
      for (const field of fields) lines.push(read(field['text'], 2000))
      if (text?.['type'] === 'plain_text') lines.push(read(text['text'], 3000))
      else if (text) {
        const [, address] = /^<(https?:[^|<>]+)\|[^<>|]+>$/.exec(textOf(text['text'])) ?? []
        if (address === undefined) return refuse('invalid_blocks')
        lines.push(entities(address))
      }
    } else return refuse('invalid_blocks')
  }
  // What a notification shows, and a client without blocks.
  read(body['text'], 40_000)
  show({ text: lines.join('\n'), pings })
  return { status: 200, body: 'ok' }
})

/** Docs: execute webhook, create message, embed limits, allowed mentions. */
export const discordVendor = vendor((request, show) => {
  const url = new URL(request.path, 'http://discord.test')
  const refuse = (reason: string) =>
    replyJson(400, { message: `Invalid Form Body`, code: 50035, errors: { reason } })
  const body = jsonOf(request, refuse)
  if (url.pathname.startsWith('/api/v10/channels/')) {
    if (request.headers.authorization !== `Bot ${secrets.discordBot}`) {
      return replyJson(401, { message: '401: Unauthorized', code: 0 })
    }
    if (url.pathname !== '/api/v10/channels/223456789012345678/messages') {
      return replyJson(404, { message: 'Unknown Channel', code: 10003 })
    }
    if (!/^DiscordBot \(\S+, \S+\)/.test(request.headers['user-agent'] ?? '')) return refuse('user agent')
    if (textOf(body['nonce']).length > 25) return refuse('nonce')
  } else if (url.pathname !== secrets.discordPath) {
    return replyJson(401, { message: 'Invalid Webhook Token', code: 50027 })
  }
  const mentions = body['allowed_mentions'] as { parse?: string[] } | undefined
  const mayPing = mentions?.parse === undefined || mentions.parse.length > 0
  const [embed = {}] = body['embeds'] as Json[]
  const fields = (embed['fields'] ?? []) as { name: string; value: string }[]
  const raw = {
    title: textOf(embed['title']),
    description: textOf(embed['description']),
  }
  if (fields.length > 25 || raw.title.length > 256 || raw.description.length > 4096) return refuse('length')
  if (fields.some(({ name, value }) => name.trim() === '' || value.trim() === ''))
    return refuse('empty field')
  if (fields.some(({ name, value }) => name.length > 256 || value.length > 1024))
    return refuse('field length')
  const texts = [raw.title, raw.description, ...fields.flatMap(({ name, value }) => [name, value])]
  if (texts.join('').length > 6000) return refuse('embed size')
  const rendered = texts.map((text) => {
    const withoutAddress = text.replace(/(?:^|\n\n)https?:\/\/\S+$/, '')
    if (/[*_~`|<>[\]@]/.test(withoutAddress.replace(/\\[^0-9A-Za-z\s]/g, '')))
      throw new Fault(refuse('markup'))
    return text.replace(/\\([^0-9A-Za-z\s])/g, '$1')
  })
  const pings = mayPing ? (texts.join('\n').match(/@(everyone|here)|<@[^>]+>/g) ?? []) : []
  show({ text: rendered.join('\n'), pings })
  // Without wait=true a webhook is answered before anything was looked at.
  if (url.pathname === secrets.discordPath && url.searchParams.get('wait') !== 'true') return { status: 204 }
  return replyJson(200, { id: '998877665544332211' })
})

/** Docs: sendMessage, HTML style, making requests. */
export const telegramVendor = vendor((request, show) => {
  const refuse = (description: string) => replyJson(400, { ok: false, error_code: 400, description })
  const [, token, method] = /^\/bot([^/]+)\/(\w+)$/.exec(request.path) ?? []
  if (token !== secrets.telegramBot) {
    return replyJson(401, { ok: false, error_code: 401, description: 'Unauthorized' })
  }
  if (method !== 'sendMessage')
    return replyJson(404, { ok: false, error_code: 404, description: 'Not Found' })
  const body = jsonOf(request, refuse)
  if (body['chat_id'] !== '-1001234567890') return refuse('Bad Request: chat not found')
  if (body['message_thread_id'] !== undefined && body['message_thread_id'] !== 42) {
    return refuse('Bad Request: message thread not found')
  }
  if (body['parse_mode'] !== 'HTML') return refuse('Bad Request: only HTML is understood here')
  const open: string[] = []
  const pings: string[] = []
  let text = ''
  for (const [piece = ''] of textOf(body['text']).matchAll(/<[^>]*>|[^<]+|</g)) {
    if (piece.startsWith('<')) {
      const [, slash, name = ''] = /^<(\/?)(b|i|u|s|code|pre)>$/.exec(piece) ?? []
      if (name === '' || (slash !== '' && open.pop() !== name))
        return refuse("Bad Request: can't parse entities")
      if (slash === '') open.push(name)
      continue
    }
    if (/&(?!amp;|lt;|gt;|quot;|#\d+;)/.test(piece)) return refuse("Bad Request: can't parse entities")
    const plain = entities(piece)
    if (!open.includes('code')) pings.push(...(plain.match(/(?<!\w)@\w{3,32}/g) ?? []))
    text += plain
  }
  if (open.length > 0) return refuse("Bad Request: can't parse entities")
  if (text.trim() === '') return refuse('Bad Request: message text is empty')
  if (text.length > 4096) return refuse('Bad Request: message is too long')
  show({ text: text.replaceAll('\u2060', ''), pings })
  return replyJson(200, { ok: true, result: { message_id: 4711 } })
})

/** Docs: workflows that post a webhook's request to a channel; Adaptive Cards 1.4 in Teams. */
export const teamsVendor = vendor((request, show) => {
  const refuse = (message: string) => replyJson(400, { error: { code: 'InvalidRequestContent', message } })
  const url = new URL(request.path, 'http://teams.test')
  if (url.search !== `?${secrets.teamsQuery}`) {
    return replyJson(401, { error: { code: 'AuthorizationFailed', message: 'The signature is not valid.' } })
  }
  const body = jsonOf(request, refuse)
  if (Buffer.byteLength(request.body) > 28_000)
    return replyJson(413, { error: { code: 'RequestEntityTooLarge' } })
  const [attachment] = body['attachments'] as Json[]
  if (body['type'] !== 'message') return refuse('type')
  if (attachment?.['contentType'] !== 'application/vnd.microsoft.card.adaptive') return refuse('contentType')
  const card = attachment['content'] as {
    type: string
    version: string
    body: Json[]
    actions?: { url: string }[]
  }
  if (card.type !== 'AdaptiveCard' || card.version !== '1.4') return refuse('card')
  const lines = card.body.map((element) => {
    if (element['type'] === 'RichTextBlock') {
      const runs = element['inlines'] as { type: string; text: string }[]
      return runs.map(({ text }) => text).join('')
    }
    // In these, markdown is markup.
    throw new Fault(refuse(`markdown in a ${textOf(element['type'])}`))
  })
  lines.push(...(card.actions ?? []).map(({ url }) => new URL(url).href))
  show({
    text: lines.join('\n'),
    pings: 'msteams' in card && JSON.stringify(card).includes('"mentioned"') ? ['somebody'] : [],
  })
  return { status: 202 }
})

/** Docs: Pushover Message API. */
export const pushoverVendor = vendor((request, show) => {
  const refuse = (error: string) => replyJson(400, { errors: [error], status: 0, request: 'r-1' })
  if (request.method !== 'POST' || request.path !== '/1/messages.json') return { status: 404 }
  if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') return refuse('content type')
  const form = new URLSearchParams(request.body)
  const field = (name: string) => form.get(name) ?? ''
  if (field('token') !== secrets.pushoverToken) {
    return replyJson(400, {
      token: 'invalid',
      errors: [`application token is invalid: ${field('token')}`],
      status: 0,
      request: 'r-1',
    })
  }
  if (field('user') !== secrets.pushoverUser) return refuse('user identifier is invalid')
  if (field('message') === '') return refuse('message cannot be blank')
  if (field('title').length > 250) return refuse('title is too long')
  if (field('message').length > 1024) return refuse('message is too long')
  if (field('url').length > 512 || field('url_title').length > 100) return refuse('url is too long')
  const priority = Number(field('priority'))
  if (!Number.isInteger(priority) || priority < -2 || priority > 2) return refuse('priority is invalid')
  if (priority === 2 && !(Number(field('retry')) >= 30 && Number(field('expire')) <= 10_800)) {
    return refuse('retry and expire must be supplied with priority=2')
  }
  show({ text: [field('title'), field('message'), field('url')].join('\n'), pings: [] })
  return replyJson(200, { status: 1, request: '647d2300-702c-4b38-8b2f-d56326ae460b' })
})

/** Docs: Gotify’s REST API, message extras. */
export const gotifyVendor = vendor((request, show) => {
  const refuse = (status: number, error: string, errorDescription: string) =>
    replyJson(status, { error, errorCode: status, errorDescription })
  if (request.path !== '/message') return refuse(404, 'Not Found', 'page not found')
  if (request.headers['x-gotify-key'] !== secrets.gotify) {
    return refuse(401, 'Unauthorized', 'you need to provide a valid access token or user credentials')
  }
  const body = jsonOf(request, (reason) => refuse(400, 'Bad Request', reason))
  if (typeof body['message'] !== 'string' || body['message'] === '') {
    return refuse(400, 'Bad Request', "Field 'message' is required")
  }
  if (!Number.isInteger(body['priority'])) return refuse(400, 'Bad Request', 'priority')
  const extras = body['extras'] as Record<string, Json>
  if (extras['client::display']?.['contentType'] !== 'text/plain') {
    return refuse(400, 'Bad Request', 'markdown would be shown')
  }
  show({ text: `${textOf(body['title'])}\n${body['message']}`, pings: [] })
  return replyJson(200, { id: 25, appid: 5 })
})

/** Docs: ntfy, publish as JSON, limitations, access tokens. */
export const ntfyVendor = vendor((request, show) => {
  const refuse = (code: number, error: string) =>
    replyJson(Math.floor(code / 100), { code, http: Math.floor(code / 100), error })
  if (request.path !== '/') return refuse(40_401, 'page not found')
  if (request.headers.authorization !== `Bearer ${secrets.ntfy}`) return refuse(40_101, 'unauthorized')
  if (Buffer.byteLength(request.body) > 8192) return refuse(41_303, 'JSON body too large')
  const body = JSON.parse(request.body) as Json
  if (body['topic'] !== 'backups') return refuse(40_009, 'invalid request: topic invalid')
  const message = textOf(body['message'])
  // A longer one becomes an attachment, which is not what anyone reads on a phone.
  if (Buffer.byteLength(message) > 4096) return refuse(41_301, 'message too large')
  if (![1, 2, 3, 4, 5].includes(body['priority'] as number)) return refuse(40_007, 'invalid priority')
  if (!Array.isArray(body['tags']) || body['markdown'] === true) return refuse(40_001, 'invalid request')
  show({ text: `${textOf(body['title'])}\n${message}`, pings: [] })
  return replyJson(200, { id: 'sPs71M8A2T', event: 'message' })
})

/** docs/guide/channels.md of Holdfast itself. */
export const webhookVendor = vendor((request, show) => {
  const {
    'x-holdfast-timestamp': timestamp,
    'x-holdfast-signature': signature,
    'x-holdfast-id': id,
  } = request.headers
  const expected = createHmac('sha256', secrets.webhook)
    .update(`${textOf(timestamp)}.${request.body}`)
    .digest('hex')
  if (signature !== `sha256=${expected}`) return { status: 401, body: 'The signature is not ours.' }
  if (Math.abs(Number(timestamp) - Date.now() / 1000) > 60) return { status: 401, body: 'Too old.' }
  const body = jsonOf(request, (reason) => ({ status: 415, body: reason }))
  if (body['id'] !== id) return { status: 400, body: 'The id of the header is another one.' }
  const facts = (body['facts'] as { label: string; value: string }[]).map(
    ({ label, value }) => `${label}: ${value}`,
  )
  show({ text: [body['title'], body['text'], ...facts, body['url']].map(textOf).join('\n'), pings: [] })
  return { status: 200, body: 'thanks' }
})

/** Docs: healthchecks.io pinging API. */
export const healthcheckVendor = vendor((request, show) => {
  const url = new URL(request.path, 'http://ping.test')
  if (request.method !== 'POST') return { status: 405 }
  const [, uuid, signal] = /^\/([^/]+)(?:\/(start|fail|log))?$/.exec(url.pathname) ?? []
  if (uuid !== secrets.ping) return { status: 404, body: 'not found' }
  if (Buffer.byteLength(request.body) > 100_000) return { status: 413 }
  show({ text: `[${signal ?? 'success'}]${url.search}\n${request.body}`, pings: [] })
  return { status: 200, body: 'OK' }
})

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function entities(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
