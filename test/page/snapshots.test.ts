import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { makeSample } from '../../src/app/demo/sample.ts'
import type { Job } from '../../src/shared/jobs.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import { skipUnless } from '../servers/needs.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'

describe('the page of snapshots', { skip: skipUnless('chromium') }, () => {
  let bed: Bed
  before(async () => {
    bed = await openBed()
  })
  after(() => bed[Symbol.asyncDispose]())

  it('locks, and deletes exactly what it has named before', async () => {
    const shop = await openShop(bed, 'ledger')
    for (let i = 0; i < 3; i++) await shop.backUp()
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto(shop.page)
    await settled(page)
    await chooseNth(page, 0)
    await page.getByRole('button', { name: 'Lock', exact: true }).click()
    const lock = page.getByRole('dialog', { name: 'Lock 1 snapshot' })
    await lock.getByRole('button', { name: 'Lock' }).click()
    await lock.waitFor({ state: 'hidden' })
    await page.getByRole('table').getByText('locked', { exact: true }).waitFor()
    const [newest, ...older] = await shop.snapshots()
    assert.equal(newest?.locked, true)

    await page.getByRole('checkbox', { name: 'Choose all that are shown' }).check()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete snapshots' })
    await dialog.getByText('1 snapshot stays').waitFor()
    await dialog.getByText('It is locked.').waitFor()
    const going = await dialog.getByRole('list', { name: 'What goes' }).innerText()
    for (const { volumeName, key } of older.flatMap(({ copies }) => copies)) {
      assert.ok(going.includes(`${volumeName}: ${key}`), going)
    }
    assert.ok(!going.includes(newest?.copies[0]?.key ?? ''), going)
    assert.deepEqual(await barriersOf(page), [])
    await dialog.getByRole('button', { name: 'Delete 2 snapshots' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('row').nth(2).waitFor({ state: 'detached' })
    assert.deepEqual(
      (await shop.snapshots()).map(({ id }) => id),
      [newest?.id],
    )
    assert.deepEqual(complaints, [])
  })

  it('is sorted by the heads of its table, as its address says', async () => {
    for (const name of ['books', 'articles']) {
      const shop = await openShop(bed, name)
      for (let i = 0; i < 2; i++) await shop.backUp()
    }
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    const head = (name: string) => page.getByRole('columnheader', { name, exact: true })
    const isSorted = async (column: string, direction: string, query: string) => {
      await page.locator(`th[aria-sort=${direction}]`).getByText(column).waitFor()
      await settled(page)
      const shown = await page
        .getByRole('table')
        .locator('a[href*="/snapshots/"]')
        .evaluateAll((links) => links.map((link) => (link.getAttribute('href') ?? '').split('/').at(-1)))
      const { items } = await bed.api.get<{ items: Snapshot[] }>('GET', `/api/v1/snapshots?${query}`)
      assert.deepEqual(
        shown,
        items.map(({ id }) => id),
      )
    }
    await page.goto('/snapshots')
    await isSorted('Taken', 'descending', '')
    await head('Taken').getByRole('button').click()
    await page.waitForURL('**/snapshots?order=asc')
    await isSorted('Taken', 'ascending', 'order=asc')
    await head('Database').getByRole('button').click()
    await page.waitForURL('**/snapshots?sort=database')
    await isSorted('Database', 'ascending', 'sort=database')
    await head('Size').getByRole('button').press('Enter')
    await page.waitForURL('**/snapshots?sort=storedBytes')
    assert.deepEqual(await barriersOf(page), [])
    await page.goto('/snapshots?sort=storedBytes&order=asc')
    await isSorted('Size', 'ascending', 'sort=storedBytes&order=asc')
    // A phone has no heads.
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole('combobox', { name: 'Order' }).click()
    await page.getByRole('option', { name: 'By name, from Z to A' }).click()
    await page.waitForURL('**/snapshots?sort=database&order=desc')
    assert.deepEqual(complaints, [])
  })

  it('deletes the newest good one of a database only where that has its own tick', async () => {
    const shop = await openShop(bed, 'stock')
    await shop.backUp()
    const [snapshot] = await shop.snapshots()
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto(`/snapshots/${snapshot?.id}`)
    await page.getByRole('button', { name: 'More', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    const tick = dialog.getByRole('checkbox', { name: /^Also delete the newest of stock\.db/ })
    await tick.waitFor()
    assert.ok(await dialog.getByRole('button', { name: /^Delete 0/ }).isDisabled())
    await tick.check()
    await dialog.getByRole('button', { name: 'Delete 1 snapshot' }).click()
    await page.waitForURL('**/snapshots')
    await page.goto(shop.page)
    await page.getByText('No such snapshot').waitFor()
  })

  it('shows a copy that a volume has not got, and that it has it again, without a reload', async () => {
    const shop = await openShop(bed, 'orders')
    await writeFile(shop.archive, 'no folder')
    const run = await shop.backUp()
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto(`/jobs/${run}`)
    await page.getByRole('table').getByText('partial', { exact: true }).waitFor()
    await page.goto(shop.page)
    const table = page.getByRole('table')
    await table.getByRole('img', { name: 'This machine: stored' }).waitFor()
    await table.getByRole('img', { name: 'Archive of orders: not stored' }).waitFor()
    await rm(shop.archive)
    hurry(bed)
    await table.getByRole('img', { name: 'Archive of orders: stored' }).waitFor()
    assert.deepEqual(complaints, [])
  })
})

/** A database with a plan that stores each snapshot on two volumes. */
async function openShop({ api, beside }: Bed, name: string) {
  const post = <T = { id: string }>(path: string, body: object = {}) =>
    api.get<T>('POST', `/api/v1/${path}`, body)
  const path = join(beside, `${name}.db`)
  makeSample(path)
  const archive = join(beside, `archive of ${name}`)
  const volumes = await api.all<{ id: string; name: string }>('/api/v1/volumes')
  const local = volumes.find(({ name }) => name === 'This machine')
  const second = await post('volumes', {
    name: `Archive of ${name}`,
    kind: 'local',
    settings: { path: archive },
  })
  const server = await post('servers', { name, engine: 'sqlite', connection: { path } })
  const plan = await post('plans', {
    name: `${name}, nightly`,
    serverId: server.id,
    volumes: [{ id: local?.id }, { id: second.id }],
    retention: { keepLast: 0 },
    tries: 1,
  })
  return {
    archive,
    /** Where only its snapshots are shown. */
    page: `/snapshots?server=${server.id}`,
    snapshots: () => api.all<Snapshot>(`/api/v1/snapshots?server=${server.id}`),
    /** Returns the id of the run, when its backups are over. */
    async backUp(): Promise<string> {
      const { jobId } = await post<{ jobId: string }>(`plans/${plan.id}/run`)
      await api.jobOver(jobId)
      const backups = await api.all<Job>(`/api/v1/jobs?parent=${jobId}`)
      for (const { id } of backups) await api.jobOver(id)
      return jobId
    },
  }
}

async function chooseNth(page: Page, index: number): Promise<void> {
  await page.getByRole('table').getByRole('checkbox').nth(index).check()
}

/** What waits for its next attempt need not wait. */
function hurry({ data }: Bed): void {
  const database = new DatabaseSync(join(data, 'holdfast.db'), { timeout: 10_000 })
  try {
    database.exec(`update jobs set run_at = 0 where state = 'queued' and kind = 'repair-copy'`)
  } finally {
    database.close()
  }
}
