import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import type { Locator } from 'playwright-core'
import { skipUnless } from '../servers/needs.ts'
import { isEverything } from '../servers/share.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'
import { addressOf, allPages } from './pages.ts'
import { seed, type Things } from './seed.ts'

const faces = {
  'in light': { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  'in dark': { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  'on a phone': {
    colorScheme: 'light',
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  },
} as const

describe('every page', { skip: skipUnless('chromium') }, () => {
  let bed: Bed
  let things: Things
  before(async () => {
    bed = await openBed()
    things = await seed(bed)
  })
  after(() => bed[Symbol.asyncDispose]())

  for (const [number, [face, options]] of Object.entries(faces).entries()) {
    it(`can be used by everybody, ${face}, and complains of nothing`, async () => {
      await using inside = await bed.openSignedIn(options)
      await using outside = await bed.open(options)
      // The fast share shows each page in one face; the long run, and what makes the screenshots, in all of them.
      const pages = isEverything ? allPages : allPages.filter((_, n) => n % 3 === number)
      for (const { path, isOutside } of pages) {
        const { page, complaints } = isOutside ? outside : inside
        await page.goto(addressOf(path, things))
        await settled(page)
        assert.deepEqual(await barriersOf(page), [], path)
        assert.deepEqual(complaints, [], path)
        const failures = page.getByText(/^(That did not work|This may not be true any more)$/)
        assert.equal(await failures.count(), 0, `${path} shows an error`)
        const isTooWide = await page.evaluate<boolean>(
          'document.documentElement.scrollWidth > document.documentElement.clientWidth',
        )
        assert.equal(isTooWide, false, `${path} is wider than the window`)
      }
    })
  }

  it('is found by what it is called, and backups are started by typing', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/')
    await settled(page)
    await page.keyboard.press('Control+k')
    const search = page.getByPlaceholder('Where to, or what to do?')
    await search.fill('audit')
    await page.getByRole('button', { name: 'Audit log' }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/settings/audit')
    await page.getByRole('button', { name: 'Search' }).first().click()
    await search.fill('back up accounting working')
    await page.getByRole('button', { name: /Back up “accounting/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/jobs/*')
    await page.getByText('succeeded').first().waitFor()
  })

  it('finds a database by its server, plan and name, and leads to what can be done', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/')
    await settled(page)
    await page.keyboard.press('Control+k')
    const search = page.getByPlaceholder('Where to, or what to do?')
    await search.fill('production nightly shop.db')
    await page.getByRole('button', { name: /^shop\.db/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/databases/*')
    await page.getByRole('heading', { name: 'shop.db', level: 1 }).waitFor()
    await page.keyboard.press('Control+k')
    await search.fill('add schedule')
    await page.getByRole('button', { name: 'Add schedule', exact: true }).click()
    await page.getByRole('dialog', { name: 'Add schedule' }).waitFor()
    await page.goto('/databases?search=nothing+is+called+so')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByRole('link', { name: 'stock' }).first().waitFor()
    await page.getByLabel('Search', { exact: true }).fill('warehouse stock')
    await page.waitForURL('**/databases?search=warehouse+stock')
    await page.goto('/databases?search=nothing+is+called+so')
    await page.getByRole('button', { name: 'Clear filters' }).waitFor()
    await page.getByLabel('Search', { exact: true }).fill('nothing else')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByRole('link', { name: 'deliveries' }).first().waitFor()
    assert.equal(await page.getByLabel('Search', { exact: true }).inputValue(), '')
    await page.goto('/databases?standing=never&server=00000000-0000-4000-8000-000000000000')
    await page.getByRole('button', { name: 'Clear filters' }).waitFor()
    await page.getByLabel('Search', { exact: true }).fill('nothing else')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByRole('link', { name: 'deliveries' }).first().waitFor()
    assert.equal(await page.getByLabel('Search', { exact: true }).inputValue(), '')
    // More than what one stops typing after.
    await page.waitForTimeout(500)
    assert.equal(new URL(page.url()).search, '')
    await page.getByLabel('Search', { exact: true }).fill('warehouse stock')
    await page.waitForURL('**/databases?search=warehouse+stock')
    await page.getByRole('link', { name: 'deliveries' }).first().waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'stock' }).first().waitFor()
  })

  it('begins with the way to its content, for who uses the keys', async () => {
    await using opened = await bed.openSignedIn({ viewport: { width: 1280, height: 500 } })
    const { page } = opened
    await page.goto('/settings/audit')
    await settled(page)
    const bottomOf = async (place: Locator) => {
      const { y, height } = (await place.boundingBox()) ?? assert.fail('it is not drawn')
      return y + height
    }
    const navigation = page.getByRole('navigation', { name: 'Navigation' })
    const here = navigation.getByRole('link', { name: 'Audit log' })
    assert.ok((await bottomOf(here)) <= (await bottomOf(navigation)), 'where one is is seen in a long list')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the content')
  })

  it('offers no download that would be refused', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/settings/audit')
    await settled(page)
    assert.ok(await page.getByRole('button', { name: 'Export' }).isEnabled())
    await page.goto('/settings/audit?from=2026-02-02T00:00&to=2026-01-01T00:00')
    await page.getByText('must be later than').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Export' }).isDisabled())
  })

  it('leads to the row that was added to a list of names and values', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/settings/roles?role=new')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Some servers').click()
    await dialog.getByRole('group', { name: 'Labels' }).getByRole('button', { name: 'Add' }).click()
    await page.keyboard.type('env')
    assert.equal(await dialog.getByLabel('Name 1').inputValue(), 'env')
  })

  it('says which databases are not protected, and since when', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/')
    const verdict = page.getByRole('status').filter({ hasText: 'are not protected' })
    assert.match(await verdict.innerText(), /stock \((never backed up|since .+|last success .+)\)/)
  })

  it('has the same places where only their signs are shown', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/')
    await page.getByRole('button', { name: 'Narrow navigation' }).click()
    await page.getByRole('button', { name: 'Configuration' }).click()
    await page.getByRole('menuitem', { name: 'Keys' }).click()
    await page.waitForURL('**/settings/keys')
    await settled(page)
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByPlaceholder('Where to, or what to do?').waitFor()
  })

  it('begins a restore from a server, with its snapshots', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto(addressOf('/servers/{server}', things))
    await settled(page)
    await page.getByRole('button', { name: 'More for shop-production' }).click()
    await page.getByRole('menuitem', { name: 'Delete server' }).waitFor()
    // It fades in.
    await page.waitForFunction(`getComputedStyle(document.querySelector('[role=menu]')).opacity === '1'`)
    // That a menu stands in no landmark is no barrier.
    const barriers = await barriersOf(page)
    assert.deepEqual(
      barriers.filter((barrier) => !barrier.startsWith('region:')),
      [],
    )
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Restore', exact: true }).click()
    await page.waitForURL('**/restores/new?server=*')
    await page
      .getByRole('radio', { name: /^shop\.db of / })
      .first()
      .waitFor()
    assert.equal(await page.getByRole('radio', { name: /^accounting\.db of / }).count(), 0)
  })

  it('shows a long log from its end, and leads upwards line by line', async () => {
    const lines = Array.from({ length: 9_000 }, (_, index) => ({
      at: new Date().toISOString(),
      level: 'info',
      message: `line ${index} ${'of a tool that says a lot '.repeat(8)}`,
    }))
    const store = new DatabaseSync(join(bed.data, 'holdfast.db'), { timeout: 10_000 })
    const insert = store.prepare('insert into job_logs (job_id, number, lines) values (?, 1000000, ?)')
    insert.run(things.job, JSON.stringify(lines))
    store.close()

    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto(addressOf('/jobs/{job}', things))
    const log = page.getByRole('log')
    const line = (number: number) => log.getByText(`line ${number} `)
    const isRead = async (number: number) => {
      await line(number).waitFor()
      const frame = (await log.boundingBox()) ?? assert.fail('there is no log')
      const { y } = (await line(number).boundingBox()) ?? assert.fail('the line is not drawn')
      assert.ok(y >= frame.y && y < frame.y + frame.height, `line ${number} is not in sight`)
    }
    await isRead(8_999)
    await log.evaluate(`document.querySelector('[role=log]').scrollTop = 0`)
    await page.getByRole('button', { name: 'Earlier lines' }).click()
    await isRead(6_999)
    assert.equal(await page.evaluate('document.activeElement.role'), 'log', 'the keys scroll it')
    await log.evaluate(`document.querySelector('[role=log]').scrollTop = 0`)
    await page.getByRole('button', { name: 'To the newest lines' }).click()
    await isRead(8_999)
    assert.deepEqual(complaints, [])
  })

  it('says of a job that was cancelled while it waited that it was, and no more', async () => {
    const store = new DatabaseSync(join(bed.data, 'holdfast.db'), { timeout: 10_000 })
    const job = {
      ...store.prepare('select * from jobs where id = ?').get(things.job),
      id: randomUUID(),
      state: 'cancelled',
      started_at: null,
      result: null,
    }
    const columns = Object.keys(job)
    store
      .prepare(`insert into jobs (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
      .run(...Object.values(job))
    store.close()
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto(`/jobs/${job.id}`)
    await page.getByText('Cancelled', { exact: true }).waitFor()
    assert.equal(await page.getByText(/^(Begins|Begun)$/).count(), 0)
  })

  it('speaks the language that is chosen, also after it was loaded anew', async () => {
    await using opened = await bed.openSignedIn({ locale: 'de-CH' })
    const { page } = opened
    await page.goto('/')
    await page.getByRole('link', { name: 'Datenbanken' }).waitFor()
    assert.equal(await page.locator('html').getAttribute('lang'), 'de')
    await page.goto('/profile')
    await page.getByLabel('Sprache', { exact: true }).selectOption('zh')
    await page.getByRole('link', { name: '数据库' }).waitFor()
    await page.reload()
    await page.getByRole('link', { name: '数据库' }).waitFor()
  })

  it('says that it is old when the app does not answer, and goes on when it does', async () => {
    await using opened = await bed.openSignedIn()
    const { page, context } = opened
    await page.goto('/')
    await settled(page)
    await context.setOffline(true)
    await page.getByText('Holdfast does not answer').waitFor()
    await context.setOffline(false)
    await page.getByText('Holdfast does not answer').waitFor({ state: 'detached' })
  })
})
