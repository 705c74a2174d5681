import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Direction = 'toServer' | 'toClient'

/** Trouble on the way. It can be changed at any time and holds at once, for open connections too. */
export interface TcpTrouble {
  /** Nothing goes through, and nobody is told. */
  stalled: boolean
  /** In each direction of each connection. */
  bytesPerSecond: number
  /** A connection is reset when it has passed on so many bytes in that direction, counted from its beginning. */
  resetAfter: Partial<Record<Direction, number>>
}

export interface TcpProxy extends AsyncDisposable {
  host: string
  port: number
  trouble: TcpTrouble
  /** Passed on since the start, over all connections. */
  passed: Record<Direction, number>
  /** How many connections have been made to it. */
  connections: number
  /** Resets all open connections. */
  resetAll(): void
  /** From now on nobody listens on the port; open connections stay. */
  refuse(): Promise<void>
  /** The opposite of `refuse`. */
  accept(): Promise<void>
}

/** Stands between a client and a server and makes trouble. */
export async function startTcpProxy({ to }: { to: { host: string; port: number } }): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let listener: Server | undefined
  const proxy: TcpProxy = {
    host: '127.0.0.1',
    port: 0,
    trouble: { stalled: false, bytesPerSecond: Infinity, resetAfter: {} },
    passed: { toServer: 0, toClient: 0 },
    connections: 0,
    resetAll: () => open.forEach((socket) => socket.resetAndDestroy()),
    async refuse() {
      const closing = listener
      listener = undefined
      // It has stopped to listen when this returns; its `close` event would wait for the open connections.
      closing?.close()
    },
    async accept() {
      listener ??= await listen(proxy.port)
    },
    async [Symbol.asyncDispose]() {
      const closed = listener && once(listener, 'close')
      await proxy.refuse()
      open.forEach((socket) => socket.destroy())
      await closed
    },
  }

  async function listen(port: number): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      proxy.connections += 1
      const upstream = connect({ ...to, allowHalfOpen: true })
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        open.add(socket)
        // The error of one side is the reset of the other; what went wrong the client will see.
        socket.on('error', () => other.resetAndDestroy())
        socket.on('close', () => open.delete(socket))
      }
      void passOn(client, upstream, 'toServer')
      void passOn(upstream, client, 'toClient')
    })
    await once(server.listen(port, '127.0.0.1'), 'listening')
    server.unref()
    return server
  }

  async function passOn(from: Socket, to: Socket, direction: Direction): Promise<void> {
    let passed = 0
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let rest = chunk; rest.length > 0;) {
          while (proxy.trouble.stalled && !from.destroyed) await sleep(5)
          const { bytesPerSecond, resetAfter } = proxy.trouble
          const left = (resetAfter[direction] ?? Infinity) - passed
          if (left <= 0) throw new Error('This connection has passed on all it may.')
          const piece = rest.subarray(0, Math.min(left, Math.max(1, Math.floor(bytesPerSecond / 20))))
          rest = rest.subarray(piece.length)
          await write(to, piece)
          passed += piece.length
          proxy.passed[direction] += piece.length
          if (piece.length === left) throw new Error('This connection has passed on all it may.')
          if (bytesPerSecond < Infinity) await sleep((piece.length / bytesPerSecond) * 1_000)
        }
      }
      to.end()
    } catch {
      from.resetAndDestroy()
      to.resetAndDestroy()
    }
  }

  listener = await listen(0)
  proxy.port = (listener.address() as AddressInfo).port
  return proxy
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}
