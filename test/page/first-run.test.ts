import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipUnless } from '../servers/needs.ts'
import { administrator, barriersOf, openBed, settled } from './bed.ts'

describe('the first run, in a browser', { skip: skipUnless('chromium') }, () => {
  it('leads from the printed token to a snapshot that was restored', async () => {
    await using bed = await openBed({ isNew: true })
    await using opened = await bed.open()
    const { page, complaints } = opened

    // Whoever opens any page is led to where the first account is made.
    await page.goto('/servers')
    await page.waitForURL('**/setup')
    await page.goto(`/setup#token=${bed.app.setupToken}`)
    await page.getByLabel('Your name').fill(administrator.name)
    await page.getByLabel('E-mail').fill(administrator.email)
    await page.getByLabel(/^Password/).fill(administrator.password)
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('button', { name: 'Make the account' }).click()
    await page.waitForURL('**/welcome')
    assert.ok(!page.url().includes('token'), 'the token does not stay in the address')

    await page.getByRole('button', { name: 'Use the sample database' }).click()
    await page.getByRole('button', { name: 'Back up now' }).click()
    await page.getByText(/5,500 rows, .+ stored/).waitFor()
    await page.getByRole('button', { name: 'Restore it beside' }).click()
    await page.getByText('Done: you have a snapshot, and you know that it restores.').waitFor()
    await settled(page)
    assert.deepEqual(await barriersOf(page), [])

    await page.getByRole('link', { name: 'To the overview' }).click()
    await page.getByText('Your database is protected').waitFor()
    assert.equal(await page.getByText('First steps').count(), 0, 'what is done is not asked for any more')
    assert.deepEqual(complaints, [])

    const { items } = await bed.api.get<{ items: { state: string; database: string }[] }>(
      'GET',
      '/api/v1/restores',
    )
    assert.deepEqual(
      items.map(({ state }) => state),
      ['succeeded'],
    )
    assert.match(items[0]?.database ?? '', /shop-restored\.db$/)
  })
})
