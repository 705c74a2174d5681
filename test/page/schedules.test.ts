import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeSample } from '../../src/app/demo/sample.ts'
import type { Plan } from '../../src/shared/plans.ts'
import type { NamedSchedule } from '../../src/shared/schedules.ts'
import type { Server } from '../../src/shared/servers.ts'
import type { Volume } from '../../src/shared/volumes.ts'
import { skipUnless } from '../servers/needs.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'

describe('schedules and plans on the page', { skip: skipUnless('chromium') }, () => {
  it('say when they run before they are saved, and what retention would take', async () => {
    await using bed = await openBed()
    const plan = await planOf(bed)
    for (let i = 0; i < 2; i++) {
      const { jobId } = await bed.api.get<{ jobId: string }>('POST', `/api/v1/plans/${plan.id}/run`, {})
      await bed.api.jobOver(jobId)
      for (const job of await bed.api.all<{ id: string }>(`/api/v1/jobs?parent=${jobId}`)) {
        await bed.api.jobOver(job.id)
      }
    }
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened

    await page.goto('/schedules')
    await page.getByRole('button', { name: 'Add schedule' }).first().click()
    const form = page.getByRole('dialog', { name: 'Add schedule' })
    await form.getByLabel('Name').fill('Working days')
    await form.getByRole('combobox', { name: 'When it runs' }).click()
    await page.getByRole('option', { name: 'Cron expression' }).click()
    await form.getByLabel('Cron expression').fill('61 3 * * 1-5')
    await form.getByText(/61/).first().waitFor()
    await form.getByLabel('Cron expression').fill('30 3 * * 1-5')
    await form.getByText(/From Monday to Friday at 0?3:30/).waitFor()
    assert.equal(await form.getByRole('list', { name: 'Next runs' }).getByRole('listitem').count(), 5)
    assert.deepEqual(await barriersOf(page), [])
    await form.getByRole('button', { name: 'Add schedule' }).click()
    await form.waitFor({ state: 'detached' })
    const [schedule] = await bed.api.all<NamedSchedule>('/api/v1/schedules')
    assert.equal(schedule?.name, 'Working days')

    await page.goto(`/plans/${plan.id}/edit`)
    await page.getByRole('combobox', { name: 'Schedules' }).click()
    await page.getByRole('option', { name: 'Working days' }).click()
    await page.keyboard.press('Escape')
    await page.getByLabel('How many of the newest').fill('1')
    await page.getByRole('button', { name: 'See what would go and what would stay' }).click()
    await page.getByText(/^1 copy goes/).waitFor()
    assert.equal((await bed.api.get<Plan>('GET', `/api/v1/plans/${plan.id}`)).retention.keepLast, 7)

    // Leaving asks first.
    await page.getByRole('link', { name: 'Cancel' }).click()
    await page
      .getByRole('dialog', { name: 'Leave without saving?' })
      .getByRole('button', { name: 'Stay here' })
      .click()
    await page.getByRole('button', { name: 'Save plan' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save plan' }).click()
    await page.waitForURL(new RegExp(`/plans/${plan.id}$`))
    await page.getByText('the newest one', { exact: true }).waitFor()
    await settled(page)
    assert.equal((await bed.api.get<Plan>('GET', `/api/v1/plans/${plan.id}`)).retention.keepLast, 1)

    // What is used is not deleted, and its users are named.
    await page.goto('/schedules')
    await page.getByRole('button', { name: 'More for Working days' }).click()
    await page.getByRole('menuitem', { name: 'Delete schedule' }).click()
    const question = page.getByRole('dialog')
    await question.getByText(plan.name).waitFor()
    assert.ok(await question.getByRole('button', { name: 'Delete schedule' }).isDisabled())
    assert.deepEqual(complaints, [])
  })

  it('have a calendar, whose days lead to their runs, also by keyboard', async () => {
    await using bed = await openBed()
    const add = (name: string, expression: string) =>
      bed.api.get('POST', '/api/v1/schedules', {
        name,
        rule: { type: 'cron', expression, timeZone: 'Europe/Berlin' },
      })
    await add('Nightly', '0 3 * * *')
    await add('Very often', '*/5 * * * *')
    await using opened = await bed.openSignedIn({ locale: 'en-GB', timezoneId: 'Europe/Berlin' })
    const { page, complaints } = opened
    const year = new Date().getFullYear() + 1

    await page.goto(`/schedules?view=calendar&month=${year}-02`)
    const calendar = page.getByRole('group', { name: 'Calendar' })
    await calendar.getByText(`February ${year}`).waitFor()
    await page.getByText('Choose a day to see what runs on it.').waitFor()
    await calendar.getByRole('button', { name: /28 February: 289 runs/ }).waitFor()
    assert.deepEqual(await barriersOf(page), [])

    await calendar.getByRole('button', { name: 'Next month' }).click()
    await calendar.getByText(`March ${year}`).waitFor()
    assert.equal(new URL(page.url()).searchParams.get('month'), `${year}-03`)

    await calendar.getByRole('button', { name: / 1 March: 289 runs/ }).focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    const day = page.getByRole('region', { name: / 2 March$/ })
    await day.getByText('Nightly').waitFor()
    await day.getByText('288 times until 23:55').waitFor()
    await page.locator('section:focus').getByText('Nightly').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('day'), `${year}-03-02`)
    assert.deepEqual(await barriersOf(page), [])

    // The address is enough, and what was is not shown as what will be.
    await page.reload()
    await day.getByText('Nightly').waitFor()
    await page.goto('/schedules?view=calendar&month=2001-01')
    await calendar.getByText(String(new Date().getFullYear())).waitFor()
    assert.ok(await calendar.getByRole('button', { name: 'Previous month' }).isDisabled())
    await settled(page)
    assert.deepEqual(complaints, [])
  })

  it('are told in the language of the page', async () => {
    await using bed = await openBed()
    await bed.api.get('POST', '/api/v1/schedules', {
      name: 'Werktags',
      rule: { type: 'cron', expression: '30 3 * * 1-5', timeZone: 'Europe/Berlin' },
    })
    for (const [locale, sentence] of [
      ['en-US', 'From Monday to Friday at 3:30 AM (Europe/Berlin)'],
      ['de-DE', 'Von Montag bis Freitag um 03:30 Uhr (Europe/Berlin)'],
      ['fr-FR', 'Du lundi au vendredi à 03:30 (Europe/Berlin)'],
      ['es-ES', 'De lunes a viernes a las 03:30 (Europe/Berlin)'],
      ['zh-CN', '每周一至周五 03:30（Europe/Berlin）'],
    ] as const) {
      await using opened = await bed.openSignedIn({ locale })
      await opened.page.goto('/schedules')
      await opened.page.getByText(sentence, { exact: true }).first().waitFor()
    }
  })
})

/** Of a small SQLite database, by hand only. */
async function planOf({ api, beside }: Bed): Promise<Plan> {
  const path = join(beside, 'shop.db')
  makeSample(path)
  const server = await api.get<Server>('POST', '/api/v1/servers', {
    name: 'shop',
    engine: 'sqlite',
    connection: { path },
  })
  const [volume] = await api.all<Volume>('/api/v1/volumes')
  return await api.get<Plan>('POST', '/api/v1/plans', {
    serverId: server.id,
    name: 'Shop by hand',
    volumes: [{ id: volume?.id }],
  })
}
