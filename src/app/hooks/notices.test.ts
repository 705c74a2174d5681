import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { describeStores } from '../../store/test-bed.ts'
import { startReceiver } from '../channels/test-bed.ts'
import { openHooks } from './test-bed.ts'

describeStores('a success that a hook behind it can still fail', (makePlace) => {
  /** The app, and what is heard of it. */
  async function openHeard() {
    await using stack = new AsyncDisposableStack()
    const receiver = stack.use(await startReceiver())
    const app = stack.use(await openHooks(makePlace))
    const settings = { url: receiver.url, secret: 'of-the-receiver' }
    await app.post('channels', { name: 'ops', kind: 'webhook', settings })
    const events = ['backup.succeeded', 'restore.succeeded', 'restore.failed']
    await app.post('notification-rules', { name: 'more', events })
    let heard = 0
    const opened = stack.move()
    return {
      ...app,
      /** What was heard since this was asked last. */
      heard() {
        const news = receiver.received.slice(heard)
        heard += news.length
        return news.map(({ body }) => String(body['event']))
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  }

  it('is told of a backup when none has: night after night one failure, and one recovery', async () => {
    await using app = await openHeard()
    const plan = await app.addPlan()
    const mended = app.file('mended')
    await app.addHook(`test -f '${mended}'`, { onFailure: 'fail' })
    const nights: string[][] = []
    for (const isGood of [false, false, true]) {
      if (isGood) writeFileSync(mended, '')
      await app.backUp(plan)
      nights.push(app.heard())
    }
    assert.deepEqual(nights, [['backup.failed'], [], ['backup.recovered', 'backup.succeeded']])
  })

  it('is told of a restore when none has', async () => {
    await using app = await openHeard()
    const snapshotId = await app.takeSnapshot(app.shop, app.database)
    const mended = app.file('mended')
    await app.addHook(`test -f '${mended}'`, { around: 'restore', onFailure: 'fail' })
    const order = { snapshotId, serverId: app.shop }
    const failed = app.file('failed.db')
    await app.restore({ ...order, database: failed })
    assert.ok(existsSync(failed))
    assert.deepEqual(app.heard(), ['restore.failed'])
    writeFileSync(mended, '')
    await app.restore({ ...order, database: app.file('good.db') })
    assert.deepEqual(app.heard(), ['restore.succeeded'])
  })
})
