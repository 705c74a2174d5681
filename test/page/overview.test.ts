import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { skipUnless } from '../servers/needs.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'
import { seed, type Things } from './seed.ts'

describe('the overview', { skip: skipUnless('chromium') }, () => {
  let bed: Bed
  let things: Things
  before(async () => {
    bed = await openBed()
    things = await seed(bed)
    breakThings(join(bed.data, 'holdfast.db'), things)
  })
  after(() => bed[Symbol.asyncDispose]())

  it('tells what else needs attention, with what helps beside it', async () => {
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto('/')
    await settled(page)
    for (const sentence of [
      '1 copy is corrupt.',
      '1 snapshot cannot be opened here without this key.',
      'The last notice could not be delivered. Nobody answered.',
      'The last backup of Holdfast’s own database failed. There is no room.',
    ]) {
      await page.getByText(sentence).waitFor()
    }
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('link', { name: 'Edit channel' }).click()
    await page.getByRole('dialog').waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Show copies' }).click()
    await page.waitForURL(`**/snapshots?volume=${things.volume}&copy=corrupt`)
    await page.goBack()
    await page.getByRole('button', { name: 'Check and repair' }).click()
    await page.waitForURL('**/jobs/*')
    assert.deepEqual(complaints, [])
  })

  it('does not say that all is well while copies are corrupt', async () => {
    const plans = await bed.api.all<{ id: string }>('/api/v1/plans')
    const { items } = await bed.api.get<{ items: { planId: string }[] }>(
      'GET',
      '/api/v1/overview?standing=failing,overdue,never',
    )
    const unwell = new Set(items.map(({ planId }) => planId))
    for (const { id } of plans.filter(({ id }) => unwell.has(id))) {
      await bed.api.get('PATCH', `/api/v1/plans/${id}`, { isEnabled: false })
    }
    await using opened = await bed.openSignedIn()
    await opened.page.goto('/')
    const verdict = opened.page.getByRole('status')
    await verdict
      .filter({ hasText: /^All \d+ databases were backed up, but some copies cannot be used/ })
      .filter({ hasText: 'a1b2' })
      .waitFor()
    mendCopies(join(bed.data, 'holdfast.db'), things)
    await opened.page.reload()
    await verdict
      .filter({ hasText: /^All \d+ databases are protected, but something else needs attention/ })
      .waitFor()
  })

  it('asks anew by itself: that a backup is missing is no event', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.clock.install()
    await page.goto('/')
    await settled(page)
    const again = page.waitForRequest(/\/api\/v1\/overview\?/, { timeout: 10_000 })
    await page.clock.fastForward(61_000)
    await again
  })

  it('leads from a day to its jobs, by mouse and by keys', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/')
    await settled(page)
    const map = page.getByRole('group', { name: /in the last 30 days|of these days/ })
    const days = map.getByRole('link')
    assert.equal(await days.count(), 30)
    const words =
      (await map
        .getByRole('link', { name: /: [1-9]\d* succeeded/ })
        .first()
        .getAttribute('aria-label')) ?? ''
    const [, succeeded, failed] = /(\d+) succeeded, 0 partial, (\d+) failed/.exec(words) ?? assert.fail(words)
    await map.getByRole('link', { name: words }).click()
    await page.waitForURL(/\/jobs\?kind=backup(,|%2C)run-plan&from=/)
    await page
      .getByRole('row', { name: /^Backup .+ succeeded/ })
      .first()
      .waitFor()
    const rows = async (name: RegExp) => await page.getByRole('row', { name }).count()
    assert.equal(await rows(/^Backup .+ succeeded/), Number(succeeded), words)
    assert.equal(await rows(/ failed /), Number(failed), words)
    await page.goBack()
    await settled(page)
    await days.last().focus()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowLeft')
    assert.equal(await page.evaluate('document.activeElement.dataset.date'), dateBefore(8))
    await page.keyboard.press('Enter')
    await page.waitForURL('**/jobs?*')
    const from = new URL(page.url()).searchParams.get('from') ?? ''
    assert.equal(new Date(from).toISOString(), `${dateBefore(8)}T00:00:00.000Z`)
    assert.match(from, /Z$/, 'the same moment for everybody')
    // The browser of the tests is in Berlin.
    assert.match(await page.getByLabel('Ended from').inputValue(), new RegExp(`^${dateBefore(8)}T0[12]:00$`))
    await page.getByLabel('Ended from').fill('2026-11-22T03:00')
    await page.waitForURL(/from=2026-11-22T02(:|%3A)00(:|%3A)00\.000Z/)
  })
})

/** In UTC, which is the display time zone. */
function dateBefore(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}

/** What jobs would have noted. */
function breakThings(store: string, { volume, snapshot }: Things): void {
  const database = new DatabaseSync(store, { timeout: 10_000 })
  const error = (message: string) => JSON.stringify({ code: 'internal', message })
  database.exec('begin')
  database
    .prepare("update copies set state = 'corrupt' where volume_id = ? and snapshot_id = ?")
    .run(volume, snapshot)
  database
    .prepare("update snapshots set key_id = 'lost', key_fingerprint = 'a1b2' where id = ?")
    .run(snapshot)
  database.prepare('update channels set last_failed_at = 9e12, last_error = ?').run(error('Nobody answered.'))
  database
    .prepare(
      `insert into app_backups (id, registration_id, key, location, place, cause, schema_version, state, is_stored, maker, error, started_at, finished_at)
       select 'x', id, 'x', 'x', 'x', 'daily', 1, 'failed', 0, 'x', ?, 4e12, 4e12 from app_backup_registrations limit 1`,
    )
    .run(error('There is no room.'))
  database.exec('commit')
  database.close()
}

/** As a repair, and a key that was added again, would leave them. */
function mendCopies(store: string, { volume, snapshot }: Things): void {
  const database = new DatabaseSync(store, { timeout: 10_000 })
  database
    .prepare("update copies set state = 'stored' where volume_id = ? and snapshot_id = ?")
    .run(volume, snapshot)
  database.prepare('update snapshots set key_id = null, key_fingerprint = null where id = ?').run(snapshot)
  database.close()
}
