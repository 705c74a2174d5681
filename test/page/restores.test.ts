import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import type { Job } from '../../src/shared/jobs.ts'
import type { Server } from '../../src/shared/servers.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import { skipUnless } from '../servers/needs.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'

describe('the pages of restores and jobs', { skip: skipUnless('chromium', 'postgres15') }, () => {
  let postgres: PostgresServer
  let bed: Bed
  let shop: Awaited<ReturnType<typeof openShop>>
  before(async () => {
    ;[postgres, bed] = await Promise.all([startPostgres({ major: 15 }), openBed()])
    shop = await openShop(bed, postgres)
  })
  after(async () => {
    await bed[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
  })

  it('restore beside, replace what is in production when its name is typed, and undo that', async () => {
    const emails = async (database: string) =>
      (await postgres.query('select email from customers order by id', database)).map(({ email }) => email)
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened

    await page.goto(`/snapshots/${shop.snapshot.id}`)
    await page.getByRole('link', { name: 'Restore', exact: true }).click()
    assert.equal(await page.getByLabel('Name of the new database').inputValue(), 'shop_restored')
    await toReview(page)
    await page.getByText('Nothing stands in the way').waitFor()
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('button', { name: 'Restore into “shop_restored”' }).click()
    await page.waitForURL('**/jobs/*')
    await succeeded(page)
    assert.deepEqual(await emails('shop_restored'), ['ada@example.com', 'alan@example.com'])

    await postgres.query(`update customers set email = 'changed'`, 'shop')
    await page.goto(`/restores/new?snapshot=${shop.snapshot.id}`)
    await page.getByRole('radio', { name: 'In the place of a database' }).check()
    await page.getByRole('combobox', { name: 'Database that is replaced' }).fill('shop')
    await toReview(page)
    await page.getByText('Everything that is in “shop” on “production” now').waitFor()
    const replace = page.getByRole('button', { name: 'Replace “shop”' })
    const typed = page.getByLabel('Type “shop” to go on')
    await typed.fill('shopp')
    assert.ok(await replace.isDisabled())
    await typed.fill('shop')
    await replace.click()
    await page.waitForURL('**/jobs/*')
    await succeeded(page)
    assert.deepEqual(await emails('shop'), ['ada@example.com', 'alan@example.com'])

    await page.getByRole('link', { name: 'To the restore' }).first().click()
    await page.getByRole('button', { name: 'Undo this restore' }).click()
    const dialog = page.getByRole('dialog', { name: 'Undo this restore' })
    await dialog.getByLabel('Type “shop” to go on').fill('shop')
    const former = page.url()
    await dialog.getByRole('button', { name: 'Put the former database back' }).click()
    await page.waitForURL((url) => url.href !== former && url.pathname.startsWith('/restores/'))
    // Until it is there, the former one is still seen, which has succeeded.
    await page.getByText('This takes another restore back').waitFor()
    await succeeded(page)
    assert.deepEqual(await emails('shop'), ['changed', 'changed'])
    assert.deepEqual(complaints, [])
  })

  it('follow the log of a job that runs, search in it, and cancel the job', async () => {
    const { jobId } = await shop.post<{ jobId: string }>('restores', {
      snapshotId: shop.snapshot.id,
      serverId: shop.server.id,
      database: 'never_done',
      runAfter: 'select pg_sleep(600)',
    })
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto(`/jobs/${jobId}`)
    const log = page.getByRole('log')
    await log.getByText('goes into “never_done”').waitFor()
    await page.getByText('Running SQL').first().waitFor()
    await page.getByLabel('Search in the log').fill('read from the volume')
    await log.getByText('goes into').waitFor({ state: 'detached' })
    await log.getByText('It is read from the volume').waitFor()
    await settled(page)
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('button', { name: 'Cancel job' }).click()
    await page.getByRole('main').getByText('cancelled', { exact: true }).waitFor()
    const job = await bed.api.jobOver(jobId)
    assert.equal(job.state, 'cancelled')
    const left = await postgres.query(`select datname from pg_database where datname like '%never_done%'`)
    assert.deepEqual(left, [])
    assert.deepEqual(complaints, [])
  })
})

/** A server in production with a database, and a snapshot of it. */
async function openShop({ api }: Bed, postgres: PostgresServer) {
  const post = <T>(path: string, body: object = {}) => api.get<T>('POST', `/api/v1/${path}`, body)
  await postgres.query('create database shop')
  await postgres.query(
    [
      'create table customers (id int primary key, email text)',
      `insert into customers values (1, 'ada@example.com'), (2, 'alan@example.com')`,
    ],
    'shop',
  )
  const { host, port, user, password } = postgres
  const server = await post<Server>('servers', {
    name: 'production',
    engine: 'postgresql',
    connection: { host, port, user, password, tls: 'disable' },
    isProduction: true,
  })
  const [local] = await api.all<{ id: string }>('/api/v1/volumes')
  const plan = await post<{ id: string }>('plans', {
    name: 'nightly',
    serverId: server.id,
    databases: { mode: 'selected', names: ['shop'] },
    volumes: [{ id: local?.id }],
  })
  const { jobId } = await post<{ jobId: string }>(`plans/${plan.id}/run`)
  await api.jobOver(jobId)
  for (const { id } of await api.all<Job>(`/api/v1/jobs?parent=${jobId}`)) await api.jobOver(id)
  const [snapshot] = await api.all<Snapshot>('/api/v1/snapshots')
  assert.ok(snapshot)
  return { post, server, snapshot }
}

/** From the target over the options. */
async function toReview(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Look at what it would meet' }).click()
}

async function succeeded(page: Page): Promise<void> {
  await page.getByRole('main').getByText('succeeded', { exact: true }).waitFor()
}
