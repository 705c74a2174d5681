import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeSample } from '../../src/app/demo/sample.ts'
import { join } from 'node:path'
import { skipUnless } from '../servers/needs.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

describe('forms, in a browser', { skip: skipUnless('chromium') }, () => {
  let bed: Bed
  before(async () => {
    bed = await openBed()
  })
  after(() => bed[Symbol.asyncDispose]())

  it('can be filled in on a phone, also what is chosen from a list in a dialog', async () => {
    await using opened = await bed.openSignedIn(phone)
    const { page } = opened
    await page.goto('/settings/users')
    await settled(page)
    await page.getByRole('button', { name: 'Invite' }).tap()
    await page.getByLabel('E-mail').fill('grace@example.com')
    await page.getByRole('combobox', { name: 'Role' }).tap()
    await page.getByRole('option', { name: 'Operator' }).tap()
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('dialog').getByRole('button', { name: 'Invite' }).tap()
    await page.getByText('/invitation#token=').waitFor()
  })

  it('ask before what was typed is lost, also by the Escape key', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    await page.goto('/settings/roles')
    await page.getByRole('button', { name: 'Add role' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('Night shift')
    await page.keyboard.press('Escape')
    await page.getByText('Leave without saving?').waitFor()
    await page.getByRole('button', { name: 'Stay here' }).click()
    assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'Night shift')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Leave', exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  it('do once what is clicked twice', async () => {
    const path = join(bed.beside, 'twice.db')
    makeSample(path)
    const server = await bed.api.get<{ id: string }>('POST', '/api/v1/servers', {
      name: 'twice',
      engine: 'sqlite',
      connection: { path },
    })
    const [volume] = await bed.api.all<{ id: string }>('/api/v1/volumes')
    const plan = await bed.api.get<{ id: string }>('POST', '/api/v1/plans', {
      name: 'twice, by hand',
      serverId: server.id,
      volumes: [{ id: volume?.id }],
    })
    await using opened = await bed.openSignedIn()
    const { page } = opened
    let orders = 0
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith(`/plans/${plan.id}/run`)) orders++
    })
    await page.goto('/')
    await page.getByRole('button', { name: 'Back up now' }).dblclick()
    await page.waitForURL('**/jobs/*')
    assert.equal(orders, 1)
  })

  it('show what they have added, though the list was not there yet', async () => {
    await using opened = await bed.openSignedIn()
    const { page } = opened
    const added = Promise.withResolvers<void>()
    let isFirst = true
    await page.route('**/api/v1/keys/check', async (route) => {
      if (!isFirst) return await route.continue()
      isFirst = false
      const response = await route.fetch()
      await added.promise
      // It may have been given up by then.
      await route.fulfill({ response }).catch(() => {})
    })
    await page.goto('/settings/keys')
    await page.getByRole('button', { name: 'Add key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('vault')
    await dialog.getByRole('button', { name: 'Add key' }).click()
    await dialog.getByLabel('I have saved it').check()
    added.resolve()
    await dialog.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('row', { name: /vault.*active/ }).waitFor()
  })

  it('are not shown to whom they would be refused', async () => {
    const roles = await bed.api.all<{ id: string; name: string }>('/api/v1/roles')
    const { organization } = await bed.api.get<{ organization: { id: string } }>('GET', '/api/v1/me')
    const account = { name: 'Vera', email: 'vera@example.com', password: 'Slate-grey 9 lanterns' }
    await using administrator = await bed.openSignedIn()
    const made = await administrator.context.request.post('/api/v1/accounts', {
      data: {
        ...account,
        organizationId: organization.id,
        roleId: roles.find(({ name }) => name === 'Viewer')?.id,
      },
      headers: { origin: bed.origin },
    })
    assert.ok(made.ok(), await made.text())

    await using opened = await bed.open()
    const { page } = opened
    await page.goto('/servers/new')
    await page.getByLabel('E-mail').fill(account.email)
    await page.getByLabel(/^Password/).fill(account.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('You may not do this here').waitFor()
    await page.goto('/')
    await page
      .getByText(/protected|Nothing is backed up/)
      .first()
      .waitFor()
    assert.equal(await page.getByRole('button', { name: 'Back up now' }).count(), 0)
    assert.equal(await page.getByRole('link', { name: 'Add server' }).count(), 0)
  })
})
