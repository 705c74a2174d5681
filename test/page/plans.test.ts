import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeSample } from '../../src/app/demo/sample.ts'
import type { Plan } from '../../src/shared/plans.ts'
import type { Server } from '../../src/shared/servers.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import type { Volume } from '../../src/shared/volumes.ts'
import { skipUnless } from '../servers/needs.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'

describe('plans on the page', { skip: skipUnless('chromium') }, () => {
  it('ask before copies go: those that a change would take, and those that go with the plan', async () => {
    await using bed = await openBed()
    const { api } = bed
    const { plan, backUp, snapshots } = await openPlan(bed)
    for (let i = 0; i < 3; i++) await backUp()
    const [newest, second, oldest] = await snapshots()
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    const savedPlan = () => api.get<Plan>('GET', `/api/v1/plans/${plan.id}`)

    // A change that takes something is asked about, with exactly what it takes.
    await page.goto(`/plans/${plan.id}/edit`)
    await page.getByLabel('How many of the newest').fill('2')
    await page.getByRole('button', { name: 'Save plan' }).click()
    const question = page.getByRole('dialog', { name: 'The plan would keep less than before' })
    await question.getByText(/^1 copy goes, /).waitFor()
    const going = await question.getByRole('list', { name: 'What goes' }).innerText()
    assert.ok(going.includes(`This machine: ${keyOf(oldest)}`), going)
    assert.ok(![newest, second].some((snapshot) => going.includes(keyOf(snapshot))), going)
    assert.deepEqual(await barriersOf(page), [])
    await question.getByRole('button', { name: 'Cancel' }).click()
    await question.waitFor({ state: 'hidden' })
    assert.equal((await savedPlan()).retention.keepLast, 7)
    await page.getByRole('button', { name: 'Save plan' }).click()
    await question.getByRole('button', { name: 'Save plan' }).click()
    await page.waitForURL(`**/plans/${plan.id}`)
    assert.equal((await savedPlan()).retention.keepLast, 2)

    // One that takes nothing more is saved at once.
    await page.goto(`/plans/${plan.id}/edit`)
    await page.getByLabel('How many of the newest').fill('5')
    await page.getByRole('button', { name: 'Save plan' }).click()
    await page.waitForURL(`**/plans/${plan.id}`)
    assert.equal((await savedPlan()).retention.keepLast, 5)

    // What is asked about is what was there to be saved; who leaves before the answer has saved nothing.
    const saveWithSlowAnswer = async (keepLast: string, meanwhile: () => Promise<void>) => {
      const answered = Promise.withResolvers<void>()
      await page.goto(`/plans/${plan.id}/edit`)
      await page.getByLabel('How many of the newest').fill(keepLast)
      await settled(page)
      await page.route('**/retention/preview*', async (route) => {
        if (!route.request().postData()?.includes('"onlyMore":true')) return await route.continue()
        const response = await route.fetch()
        await answered.promise
        await route.fulfill({ response })
      })
      const asked = page.waitForRequest(/retention\/preview/)
      await page.getByRole('button', { name: 'Save plan' }).click()
      await asked
      await meanwhile()
      const answer = page.waitForResponse(/retention\/preview/)
      answered.resolve()
      await answer
      await page.unroute('**/retention/preview*')
    }
    await saveWithSlowAnswer('6', () => page.getByLabel('How many of the newest').fill('1'))
    await page.waitForURL(`**/plans/${plan.id}`)
    assert.equal((await savedPlan()).retention.keepLast, 6)
    await saveWithSlowAnswer('8', async () => {
      await page.getByRole('link', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Leave' }).click()
      await page.getByRole('button', { name: `More for ${plan.name}` }).waitFor()
    })
    await settled(page)
    assert.equal((await savedPlan()).retention.keepLast, 6)

    // What is in the way is said before anything else.
    const restore = await api.get<{ id: string }>('POST', '/api/v1/scheduled-restores', {
      name: 'Fresh staging',
      sourceServerId: plan.serverId,
      sourceDatabase: newest?.database,
      planId: plan.id,
      targetServerId: plan.serverId,
      targetDatabase: join(bed.beside, 'staging.db'),
    })
    const deletion = page.getByRole('dialog', { name: /^Delete the plan/ })
    const ask = async () => {
      await page.goto(`/plans/${plan.id}`)
      await settled(page)
      await askAgain()
    }
    const askAgain = async () => {
      await page.getByRole('button', { name: `More for ${plan.name}` }).click()
      await page.getByRole('menuitem', { name: 'Delete plan' }).click()
    }
    await ask()
    await deletion.getByText('Scheduled restore “Fresh staging”').waitFor()
    assert.ok(await deletion.getByRole('button', { name: 'Delete plan' }).isDisabled())
    await api.get('DELETE', `/api/v1/scheduled-restores/${restore.id}`)

    await api.get('PATCH', `/api/v1/snapshots/${second?.id}`, { locked: true })
    await ask()
    await deletion.getByText('What becomes of its 3 snapshots?').waitFor()
    assert.equal(await deletion.getByText(/lost:/).count(), 0)

    // On what was known before nobody can decide.
    const look = `**/api/v1/plans/${plan.id}/losses`
    const doubt = deletion.getByText('This may not be true any more')
    const deletePlan = deletion.getByRole('button', { name: 'Delete plan', exact: true })
    await page.route(look, (route) => route.abort())
    await deletion.getByRole('button', { name: 'Cancel' }).click()
    await askAgain()
    await doubt.waitFor()
    assert.ok(await deletePlan.isDisabled())
    await page.unroute(look)
    await deletion.getByRole('button', { name: 'Try again' }).click()
    await doubt.waitFor({ state: 'hidden' })
    await deletePlan.click({ trial: true })

    await deletion.getByLabel('They are deleted, with all their copies').check()
    await deletion.getByText(/^2 snapshots are lost: .*, the newest of /).waitFor()
    await deletion.getByText('1 snapshot stays', { exact: true }).waitFor()
    await deletion.getByText(/^shop\.db of .*: It is locked\.$/).waitFor()
    const lost = await deletion.getByRole('table').getByRole('row').nth(1).getByRole('cell').allInnerTexts()
    assert.match(lost.join(' | '), /^.*shop\.db.* \| 2 \| .+ KiB \| /s)
    assert.deepEqual(await barriersOf(page), [])
    const act = deletion.getByRole('button', { name: 'Delete plan and snapshots' })
    assert.ok(await act.isDisabled())
    await deletion.getByLabel(`Type “${plan.name}” to go on`).fill(plan.name)
    await act.click()
    await page.waitForURL('**/jobs/*')
    await api.jobOver(new URL(page.url()).pathname.split('/').at(-1) ?? '')
    assert.deepEqual(
      (await api.all<Snapshot>('/api/v1/snapshots')).map(({ id }) => id),
      [second?.id],
    )
    assert.deepEqual(complaints, [])
  })
})

function keyOf(snapshot: Snapshot | undefined): string {
  return snapshot?.copies[0]?.key ?? assert.fail('there is no copy')
}

/** Of a small SQLite database, by hand only; the seven newest stay. */
async function openPlan({ api, beside }: Bed) {
  const path = join(beside, 'shop.db')
  makeSample(path)
  const server = await api.get<Server>('POST', '/api/v1/servers', {
    name: 'shop',
    engine: 'sqlite',
    connection: { path },
  })
  const [volume] = await api.all<Volume>('/api/v1/volumes')
  const plan = await api.get<Plan>('POST', '/api/v1/plans', {
    serverId: server.id,
    name: 'Shop by hand',
    volumes: [{ id: volume?.id }],
  })
  return {
    plan,
    backUp: async () => {
      const { jobId } = await api.get<{ jobId: string }>('POST', `/api/v1/plans/${plan.id}/run`, {})
      await api.jobOver(jobId)
      for (const { id } of await api.all<{ id: string }>(`/api/v1/jobs?parent=${jobId}`)) {
        await api.jobOver(id)
      }
    },
    snapshots: () => api.all<Snapshot>(`/api/v1/snapshots?plan=${plan.id}`),
  }
}
