import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { BrowserContext, Locator, Page } from 'playwright-core'
import { totp } from '../../src/app/second-factor/test-bed.ts'
import { skipUnless } from '../servers/needs.ts'
import { administrator, barriersOf, type Bed, openBed, settled } from './bed.ts'

const { name, email, password } = administrator
const grace = { name: 'Grace Hopper', email: 'grace@example.com', password: 'Seven quiet lanterns' }

describe('people, on the page', { skip: skipUnless('chromium') }, () => {
  let bed: Bed
  let ada: { page: Page; context: BrowserContext; complaints: string[] } & AsyncDisposable

  before(async () => {
    bed = await openBed({ isNew: true })
    ada = await bed.open()
  })
  let isBroken = false
  /** Each goes on where the one before has ended. */
  const step = (what: string, act: () => Promise<void>): void => {
    it(what, async (test) => {
      if (isBroken) return test.skip('A step before has failed.')
      isBroken = true
      await act()
      isBroken = false
    })
  }

  after(async () => {
    await ada?.[Symbol.asyncDispose]()
    await bed?.[Symbol.asyncDispose]()
  })

  step('make the first account with the link that the app prints', async () => {
    const { page } = ada
    await page.goto('/')
    await page.getByRole('heading', { name: 'Welcome to Holdfast' }).waitFor()
    await page.getByLabel('Token of the setup').waitFor()
    const token = /Or with the token of the setup:\s+(\S+)/.exec(bed.app.said())?.[1]
    assert.ok(token, bed.app.said())
    await page.goto('about:blank')
    await page.goto(`/setup#token=${token}`)
    await page.getByLabel('Your name').fill(name)
    assert.equal(await page.evaluate('location.hash'), '', 'the token is out of the address bar')
    assert.equal(await page.getByLabel('Token of the setup').count(), 0)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel(/^Password/).fill('short')
    assert.ok(await page.getByRole('button', { name: 'Make the account' }).isDisabled())
    await page.getByLabel(/^Password/).fill('passwordpassword')
    await page.getByRole('button', { name: 'Make the account' }).click()
    await page.getByText(/used, and tried, most often|a word that everybody uses/).waitFor()
    await page.getByLabel(/^Password/).fill(password)
    await page.getByLabel('Organization').fill('Engines')
    assert.deepEqual(await barriersOf(page), [])
    await page.getByRole('button', { name: 'Make the account' }).click()
    await page.waitForURL('**/welcome')
  })

  step('sign out, and come back to where they wanted to go, but to no other site', async () => {
    const { page } = ada
    await signOut(page)
    await page.goto('/settings/tokens')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await giveCredentials(page, { email, password: 'Not this one at all' })
    await page.getByRole('alert').waitFor()
    assert.deepEqual(await barriersOf(page), [])
    await giveCredentials(page, { email, password })
    await page.getByRole('heading', { name: 'API tokens' }).waitFor()
    await signOut(page)
    await page.goto('/sign-in?to=//elsewhere.example/x')
    await giveCredentials(page, { email, password })
    await page.waitForURL(`${bed.origin}/`)
  })

  step('are led on where the link to a new password is over', async () => {
    const { page } = ada
    await page.goto('about:blank')
    await page.goto(`/reset-password#token=${'x'.repeat(43)}`)
    await page.getByLabel(/^New password/).fill('Seven quiet lanterns')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.getByRole('alert').getByText('it was used, or its time is over').waitFor()
    await page.getByRole('link', { name: 'To the sign-in' }).click()
    await giveCredentials(page, { email, password })
    await page.getByRole('navigation', { name: 'Navigation' }).waitFor()
  })

  step('sign in with the code of an authenticator app, or a recovery code', async () => {
    const { page } = ada
    await page.goto('/profile')
    await page.getByRole('button', { name: 'Set up' }).click()
    const dialog = page.getByRole('dialog')
    const secret = await setUpAuthenticator(dialog, password)
    const codes = dialog.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
    await codes.first().waitFor()
    assert.equal(await codes.count(), 10)
    const recoveryCode = (await codes.first().textContent()) ?? ''
    assert.deepEqual(await barriersOf(page), [])
    await dialog.getByRole('button', { name: 'I have kept them' }).click()
    await page.getByText('10 recovery codes left').waitFor()

    await signOut(page)
    await giveCredentials(page, { email, password })
    await page.getByLabel('Code', { exact: true }).fill(totp(secret, 1))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('navigation', { name: 'Navigation' }).waitFor()
    await signOut(page)
    await giveCredentials(page, { email, password })
    await page.getByRole('button', { name: 'Use a recovery code' }).click()
    await page.getByLabel('Recovery code').fill(recoveryCode)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('navigation', { name: 'Navigation' }).waitFor()
    await page.goto('/profile')
    await page.getByText('9 recovery codes left').waitFor()
  })

  step('sign in with a passkey of their device', async () => {
    const { page, context } = ada
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    await page.goto('/profile')
    await page.getByRole('button', { name: 'Add passkey' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('What you call it').fill('Thimble')
    await dialog.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('listitem').filter({ hasText: 'Thimble' }).waitFor()
    await signOut(page)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('navigation', { name: 'Navigation' }).waitFor()
  })

  step('invite others, who accept in their own browser', async () => {
    const { page } = ada
    await page.goto('/settings/users')
    await page.getByRole('button', { name: 'Invite' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('E-mail').fill(grace.email)
    await dialog.getByRole('combobox', { name: 'Role' }).click()
    await page.getByRole('option', { name: 'Operator' }).click()
    await dialog.getByRole('button', { name: 'Invite' }).click()
    const link = (await dialog.locator('code').textContent()) ?? ''
    await dialog.getByRole('button', { name: 'Done' }).click()
    assert.deepEqual(await barriersOf(page), [])

    await using other = await bed.open()
    await other.page.goto(link)
    await other.page.getByRole('heading', { name: 'Join “Engines”' }).waitFor()
    assert.equal(await other.page.evaluate('location.hash'), '')
    await other.page.getByLabel('Your name').fill(grace.name)
    await other.page.getByLabel(/^Password/).fill(grace.password)
    assert.deepEqual(await barriersOf(other.page), [])
    await other.page.getByRole('button', { name: 'Make the account and join' }).click()
    await other.page.getByRole('navigation', { name: 'Navigation' }).waitFor()
    await other.page.goto('/profile')
    await other.page.getByText('Operator in Engines').waitFor()
    assert.deepEqual(other.complaints, [])

    await page.reload()
    await page.getByRole('table').getByText(grace.email).waitFor()
  })

  step('demand a second factor of those who sign in with a password', async () => {
    await using other = await bed.open()
    await other.page.goto('/jobs')
    await giveCredentials(other.page, grace)
    await other.page.getByRole('heading', { name: 'Jobs' }).waitFor()

    const { page } = ada
    await page.goto('/settings/authentication')
    await page.getByRole('switch', { name: 'Behind a password, a second factor is demanded' }).click()
    await page.getByRole('switch', { name: /second factor is demanded/, checked: true }).waitFor()
    await settled(page)

    await other.page.getByRole('link', { name: 'Volumes' }).click()
    await other.page.getByRole('heading', { name: 'Here a password alone is not enough' }).waitFor()
    assert.deepEqual(await barriersOf(other.page), [])
    await setUpAuthenticator(other.page.getByRole('main'), grace.password)
    await other.page.getByRole('button', { name: 'I have kept them' }).click()
    await other.page.getByRole('navigation', { name: 'Navigation' }).waitFor()
    assert.match(other.page.url(), /\/volumes$/)
    assert.deepEqual(other.complaints, [])
  })

  step('work in one organization at a time: nothing of the former one stays on the screen', async () => {
    const { page, complaints } = ada
    await page.goto('/settings/tokens')
    await page.getByRole('button', { name: 'Add token' }).click()
    const drawer = page.getByRole('dialog')
    await drawer.getByLabel('Name').fill('Pipeline of the engines')
    await drawer.getByRole('button', { name: 'Make token' }).click()
    await drawer.locator('code', { hasText: /^hf_/ }).waitFor()
    await drawer.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('table').getByText('Pipeline of the engines').waitFor()

    await page.goto('/settings/organizations')
    await page.getByRole('button', { name: 'Add organization' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Looms')
    await page.getByRole('dialog').getByRole('button', { name: 'Add organization' }).click()
    await page.getByRole('table').getByText('Looms').waitFor()

    await page.getByRole('link', { name: 'API tokens' }).click()
    await page.getByRole('table').getByText('Pipeline of the engines').waitFor()
    await page.getByRole('button', { name: 'Organization: Engines' }).click()
    await page.getByRole('menuitem', { name: 'Looms' }).click()
    await page.getByRole('button', { name: 'Organization: Looms' }).waitFor()
    await page.getByRole('link', { name: 'API tokens' }).click()
    await page.getByRole('heading', { name: 'API tokens', level: 1 }).waitFor()
    await settled(page)
    const { textContent } = await page.evaluate<{ textContent: string }>(
      '({ textContent: document.body.innerText })',
    )
    assert.doesNotMatch(textContent, /engines/i)
    assert.deepEqual(complaints, [])
  })

  step('are made members of another organization without a link, if they have an account', async () => {
    const { page, complaints } = ada
    await page.goto('/settings/users?tab=accounts')
    await page.getByRole('button', { name: `More for ${grace.name}` }).click()
    await page.getByRole('menuitem', { name: 'Add to “Looms”' }).click()
    const dialog = page.getByRole('dialog', { name: `Add ${grace.name} to “Looms”` })
    await dialog.getByRole('combobox', { name: 'Role' }).click()
    await page.getByRole('option', { name: 'Viewer' }).click()
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await page.getByRole('table').getByText('Looms: Viewer').waitFor()
    assert.deepEqual(complaints, [])
  })
})

/** As far as to the recovery codes. */
async function setUpAuthenticator(place: Locator, ownPassword: string): Promise<string> {
  await place.getByLabel(/^Your password/).fill(ownPassword)
  await place.getByRole('button', { name: 'Go on' }).click()
  await place.getByRole('img', { name: 'QR code with the secret' }).waitFor()
  const secret = ((await place.locator('code').textContent()) ?? '').replaceAll(' ', '')
  await place.getByLabel('Code', { exact: true }).fill(totp(secret))
  await place.getByRole('button', { name: 'Turn on' }).click()
  return secret
}

async function signOut(page: Page): Promise<void> {
  await page.goto('/profile')
  await page.getByRole('button', { name: 'Sign out', exact: true }).first().click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
}

async function giveCredentials(page: Page, given: { email: string; password: string }): Promise<void> {
  await page.getByLabel('E-mail').fill(given.email)
  await page.getByLabel(/^Password/).fill(given.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}
