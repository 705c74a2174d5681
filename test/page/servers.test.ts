import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Server } from '../../src/shared/servers.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import { skipUnless } from '../servers/needs.ts'
import { startPostgres } from '../servers/postgres.ts'
import { barriersOf, openBed } from './bed.ts'

describe('a server is added by the page', { skip: skipUnless('chromium', 'postgres18') }, () => {
  it('from its connection string to its first backup; a wrong password is told before anything is saved', async () => {
    await using postgres = await startPostgres({ major: 18 })
    await using bed = await openBed({
      env: { PATH: `${postgres.programs}:${process.env['PATH']}` },
    })
    await postgres.query('create database shop')
    await postgres.query('create table orders as select generate_series(1, 100) as id', 'shop')
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    const { host, port, user, password } = postgres

    await page.goto('/servers')
    await page.getByRole('link', { name: 'Add server' }).first().click()
    await page.getByLabel('Paste a connection string').fill(`postgresql://${user}:wrong@${host}:${port}/shop`)
    await page.getByRole('button', { name: 'Fill in the form' }).click()
    assert.equal(await page.getByLabel('Host').inputValue(), host)
    assert.equal(await page.getByLabel('Port').inputValue(), String(port))
    await page.getByLabel('Name', { exact: true }).fill('prod-1')

    await page.getByRole('button', { name: 'Test connection' }).click()
    await page.getByText('The test has failed').waitFor()
    await page.getByText('password authentication failed').or(page.getByText('refused')).first().waitFor()
    assert.deepEqual(await bed.api.all<Server>('/api/v1/servers'), [], 'nothing is saved')
    // Until it has faded, it covers the button.
    await page.locator('.mantine-Button-loader').waitFor({ state: 'detached' })
    assert.deepEqual(await barriersOf(page), [])

    await page.getByRole('textbox', { name: 'Password' }).fill(password)
    await page.getByRole('button', { name: 'Test connection' }).click()
    await page.getByText('The test has passed').waitFor()
    await page.getByLabel('Those whose name fits a pattern').check()
    await page.getByLabel('Names that fit').fill('shop.*')
    await page.getByRole('button', { name: 'Add server now and list its databases' }).click()
    await page.getByText('1 database is backed up, as it is now').waitFor()
    await page.getByRole('button', { name: 'Back up now' }).click()

    await page.waitForURL(/\/jobs\//)
    await page.getByRole('row').filter({ hasText: 'shop' }).getByText('succeeded').waitFor()
    const [snapshot] = await bed.api.all<Snapshot>('/api/v1/snapshots')
    assert.equal(snapshot?.database, 'shop')
    const servers = await bed.api.all<Server>('/api/v1/servers')
    assert.deepEqual(
      servers.map(({ name }) => name),
      ['prod-1'],
      'it is added once',
    )

    // What is masked survives saving: the password is not typed again.
    await page.goto(`/servers/${servers[0]?.id}/edit`)
    await page.getByRole('switch', { name: 'Production' }).check()
    await page.getByRole('button', { name: 'Save server' }).click()
    await page.getByText('production', { exact: true }).waitFor()
    await page.getByText(/^answers/).waitFor()
    assert.deepEqual(complaints, [])
  })

  it('with a user that may not read everything: what grants that can be copied', async () => {
    await using postgres = await startPostgres({ major: 18 })
    await using bed = await openBed({
      env: { PATH: `${postgres.programs}:${process.env['PATH']}` },
    })
    await postgres.query(`create role little login password 'Small-7-harbour'`)
    await postgres.query('create table orders (id integer)')
    await using opened = await bed.openSignedIn()
    const { page } = opened
    const { host, port } = postgres
    await page.goto('/servers/new')
    await page
      .getByLabel('Paste a connection string')
      .fill(`postgresql://little:Small-7-harbour@${host}:${port}/postgres`)
    await page.getByRole('button', { name: 'Fill in the form' }).click()
    await page.getByRole('button', { name: 'Test connection' }).click()
    await page.getByRole('button', { name: 'Copy the statements' }).waitFor()
    const statements = await page.locator('pre', { hasText: 'GRANT' }).innerText()
    assert.match(statements, /^GRANT SELECT ON .*orders.* TO .*little.*;$/m)
  })
})
