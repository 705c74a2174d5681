import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
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
