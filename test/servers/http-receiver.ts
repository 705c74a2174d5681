import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { KeyPair } from './certificates.ts'

export interface Received {
  method: string
  /** With the query. */
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: string
}

/** `hang`: the connection stays open, and nothing comes. */
export type Answering = (request: Received) => Reply | 'hang'

export interface HttpReceiver extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  origin: string
  port: number
  /** In the order they came, each when it was there as a whole. */
  received: Received[]
  /** From now on, instead of what it was started with. */
  answer(answering: Answering): void
}

/** Takes requests on a loopback port, notes them down and answers as it is told. */
export async function startHttpReceiver(
  answering: Answering,
  { certificate }: { certificate?: KeyPair } = {},
): Promise<HttpReceiver> {
  let current = answering
  const received: Received[] = []
  const server = certificate
    ? createTlsServer({ cert: certificate.certificate, key: certificate.key })
    : createServer()
  server.on('request', (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const seen: Received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      }
      received.push(seen)
      const reply = current(seen)
      if (reply === 'hang') return
      response.writeHead(reply.status, reply.headers).end(reply.body)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  const { port } = server.address() as AddressInfo
  return {
    origin: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    received,
    answer: (answering) => {
      current = answering
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
