import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface SeenRequest {
  method: string
  /** With the query. */
  path: string
  headers: IncomingHttpHeaders
  /** So many bytes of its body have been passed on. */
  uploaded: number
  /** Of the reply the client was given. */
  status?: number
}

export interface HttpTrouble {
  /** Which requests have the trouble; all, unless told otherwise. */
  when?: (request: SeenRequest) => boolean
  /** How many of them have it; all, unless told otherwise. */
  times?: number
  /** The client is given this S3 error, and the server never sees the request. */
  answer?: { status: number; code: string }
  /** So many bytes of the upload are passed on, then both connections are reset. */
  cutUpload?: number
  /** So many bytes of the reply's body are passed on, then the connection is closed. */
  truncateReply?: number
  /** The byte at this place of the reply's body is changed. */
  corruptReply?: number
  /** The server does what it was asked, but the client's connection is reset instead of a reply. */
  loseReply?: boolean
  /** Milliseconds before the request is passed on. */
  delay?: number
}

export interface HttpProxy extends AsyncDisposable {
  endpoint: string
  /** In the order they came. */
  requests: SeenRequest[]
  /** Makes trouble from now on. Of several that match a request, the oldest is chosen. */
  trouble(trouble: HttpTrouble): { readonly used: number; end(): void }
}

/**
 * Stands between an S3 client and an S3 server and makes trouble. Requests are passed on with their headers as
 * they are, also `Host`, so that the server finds their signatures right.
 */
export async function startHttpProxy({ to }: { to: string }): Promise<HttpProxy> {
  const { hostname, port } = new URL(to)
  const requests: SeenRequest[] = []
  const troubles = new Set<{ trouble: HttpTrouble; used: number }>()

  const choose = (seen: SeenRequest): HttpTrouble => {
    const chosen = [...troubles].find(
      ({ trouble, used }) => used < (trouble.times ?? Infinity) && (trouble.when?.(seen) ?? true),
    )
    if (chosen) chosen.used += 1
    return chosen?.trouble ?? {}
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', headers } = request
    const seen: SeenRequest = { method, path, headers, uploaded: 0 }
    requests.push(seen)
    const trouble = choose(seen)
    if (trouble.answer) {
      request.resume()
      await once(request, 'end')
      answerWithError(response, seen, trouble.answer)
      return
    }
    if (trouble.delay !== undefined) await sleep(trouble.delay)
    const upstream = httpRequest({ hostname, port, method, path, headers: request.rawHeaders, agent: false })
    const replied = once(upstream, 'response') as Promise<[IncomingMessage]>
    // A server may reply and leave before it has read all; that is for the reply to show.
    upstream.on('error', () => undefined)
    const uploaded = upload(request, upstream, seen, trouble.cutUpload).catch((error: Error) => {
      upstream.destroy(error)
    })
    try {
      const [reply] = await replied
      await download(reply, response, seen, trouble)
      await uploaded
    } finally {
      upstream.destroy()
    }
  }

  const listener = createServer((request, response) => {
    const { socket } = request
    handle(request, response).catch(() => socket.resetAndDestroy())
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  listener.unref()
  return {
    endpoint: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    requests,
    trouble(trouble) {
      const entry = { trouble, used: 0 }
      troubles.add(entry)
      return {
        get used() {
          return entry.used
        },
        end: () => void troubles.delete(entry),
      }
    },
    async [Symbol.asyncDispose]() {
      listener.close()
      listener.closeAllConnections()
      await once(listener, 'close')
    },
  }
}

function answerWithError(
  response: ServerResponse,
  seen: SeenRequest,
  { status, code }: { status: number; code: string },
): void {
  seen.status = status
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Made by the test.</Message></Error>`,
  )
}

async function upload(
  from: IncomingMessage,
  to: ClientRequest,
  seen: SeenRequest,
  limit = Infinity,
): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const piece = chunk.subarray(0, limit - seen.uploaded)
    const flows = to.write(piece)
    seen.uploaded += piece.length
    if (!flows) await drainedOrClosed(to)
    if (seen.uploaded === limit) throw new Error('Cut by the test.')
  }
  to.end()
}

/** Of the two, the one that does not come is no longer listened for. */
async function drainedOrClosed(to: ClientRequest): Promise<void> {
  const over = new AbortController()
  try {
    await Promise.race(['drain', 'close'].map((event) => once(to, event, { signal: over.signal })))
  } finally {
    over.abort()
  }
}

async function download(
  from: IncomingMessage,
  to: ServerResponse,
  seen: SeenRequest,
  { loseReply = false, truncateReply = Infinity, corruptReply = -1 }: HttpTrouble,
): Promise<void> {
  if (loseReply) {
    from.resume()
    await once(from, 'end')
    throw new Error('Lost by the test.')
  }
  to.writeHead(from.statusCode ?? 502, from.statusMessage, from.rawHeaders)
  seen.status = from.statusCode
  let passed = 0
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const piece = Buffer.from(chunk.subarray(0, truncateReply - passed))
    const place = corruptReply - passed
    if (place >= 0 && place < piece.length) piece.writeUInt8(piece.readUInt8(place) ^ 1, place)
    await new Promise<void>((resolve, reject) => {
      to.write(piece, (error) => (error ? reject(error) : resolve()))
    })
    passed += piece.length
    if (passed === truncateReply) {
      to.destroy()
      return
    }
  }
  to.end()
}
