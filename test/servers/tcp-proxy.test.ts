import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTcpProxy } from './tcp-proxy.ts'

describe('a TCP proxy', () => {
  it('passes on everything, and the end too', async () => {
    await using server = await startEcho()
    await using proxy = await startTcpProxy({ to: server })
    const sent = Buffer.alloc(3_000_000, 'abc')
    assert.ok(sent.equals(await echo(proxy, sent)))
    assert.deepEqual(proxy.passed, { toServer: sent.length, toClient: sent.length })
    assert.equal(proxy.connections, 1)
  })

  for (const direction of ['toServer', 'toClient'] as const) {
    it(`resets a connection after so many bytes ${direction}`, async () => {
      await using server = await startEcho()
      await using proxy = await startTcpProxy({ to: server })
      proxy.trouble.resetAfter = { [direction]: 100_000 }
      await assert.rejects(echo(proxy, Buffer.alloc(1_000_000)), { code: /ECONNRESET|EPIPE/ })
      assert.equal(proxy.passed[direction], 100_000)
      proxy.trouble.resetAfter = {}
      assert.equal((await echo(proxy, Buffer.alloc(1_000_000))).length, 1_000_000)
    })
  }

  it('stalls open connections, and lets them go on', async () => {
    await using server = await startEcho()
    await using proxy = await startTcpProxy({ to: server })
    const client = connect(proxy)
    await once(client, 'connect')
    proxy.trouble.stalled = true
    client.end('late')
    const answer = buffer(client)
    assert.equal(await Promise.race([answer, sleep(200, 'nothing')]), 'nothing')
    proxy.trouble.stalled = false
    assert.equal(String(await answer), 'late')
  })

  it('drips', async () => {
    await using server = await startEcho()
    await using proxy = await startTcpProxy({ to: server })
    proxy.trouble.bytesPerSecond = 10_000
    const startedAt = performance.now()
    await echo(proxy, Buffer.alloc(3_000))
    const took = performance.now() - startedAt
    assert.ok(took > 250 && took < 5_000, `It took ${took} ms.`)
  })

  it('refuses new connections and accepts them again', async () => {
    await using server = await startEcho()
    await using proxy = await startTcpProxy({ to: server })
    await proxy.refuse()
    await assert.rejects(echo(proxy, Buffer.from('x')), { code: 'ECONNREFUSED' })
    await proxy.accept()
    assert.equal(String(await echo(proxy, Buffer.from('x'))), 'x')
  })

  it('resets a connection whose server is gone', async () => {
    const server = await startEcho()
    await using proxy = await startTcpProxy({ to: server })
    await server[Symbol.asyncDispose]()
    await assert.rejects(echo(proxy, Buffer.from('x')), { code: /ECONNRESET|EPIPE/ })
  })
})

async function startEcho(): Promise<{ host: string; port: number } & AsyncDisposable> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      open.forEach((socket) => socket.destroy())
      server.close()
      await once(server, 'close')
    },
  }
}

async function echo({ host, port }: { host: string; port: number }, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ host, port })
  socket.end(bytes)
  return await buffer(socket)
}
