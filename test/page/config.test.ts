import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startCeph } from '../servers/ceph.ts'
import { startHttpReceiver } from '../servers/http-receiver.ts'
import { skipUnless } from '../servers/needs.ts'
import { barriersOf, type Bed, openBed, settled } from './bed.ts'

describe('the configuration, in a browser', { skip: skipUnless('chromium') }, () => {
  let bed: Bed
  before(async () => {
    bed = await openBed()
  })
  after(() => bed[Symbol.asyncDispose]())

  it('keeps a hook script that was edited, and settings that were changed', async () => {
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto('/settings/hooks')
    const script = page.getByLabel('Post-backup script')
    await script.fill('echo ')
    await page.getByRole('button', { name: 'Insert BACKUP_FILENAME' }).click()
    assert.equal(await script.inputValue(), 'echo "$BACKUP_FILENAME"')

    // Nobody loses what is not saved by a click beside it.
    await page.getByRole('link', { name: 'Keys' }).click()
    await page.getByRole('button', { name: 'Stay here' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The scripts are saved').waitFor()
    await page.reload()
    assert.equal(await script.inputValue(), 'echo "$BACKUP_FILENAME"')
    await page.getByRole('tab', { name: 'Post-restore' }).click()
    assert.equal(await page.getByLabel('Post-restore script').inputValue(), '')
    assert.deepEqual(await barriersOf(page), [])

    await page.goto('/settings/backup')
    const tries = page.getByRole('textbox', { name: 'Tries' })
    await tries.fill('11')
    await page.getByText('must be a whole number from 1 to 10').waitFor()
    await tries.fill('5')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings are saved').waitFor()
    await page.reload()
    assert.equal(await tries.inputValue(), '5')
    await page.getByRole('button', { name: '“Tries” back to default' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings are saved').waitFor()
    assert.equal((await bed.api.get<{ tries: number }>('GET', '/api/v1/settings')).tries, 3)
    assert.deepEqual(complaints, [])
  })

  it(
    'backs Holdfast’s own database up to a bucket, whose secret it keeps to itself',
    {
      skip: skipUnless('ceph'),
    },
    async () => {
      await using ceph = await startCeph()
      const bucket = await ceph.createBucket()
      await using bed = await openBed()
      await using opened = await bed.openSignedIn()
      const { page, complaints } = opened
      await page.goto('/settings/db-backup')
      const list = page.getByRole('region', { name: 'DB backups' })
      await list.locator('[data-kind=local] .tabler-icon-folder-filled').waitFor()

      await page.getByRole('button', { name: 'Create new' }).click()
      const form = page.getByRole('dialog', { name: 'New DB backup' })
      await form.getByRole('textbox', { name: 'Name' }).fill('cloud')
      await form.getByRole('radio', { name: 'S3' }).click()
      await form.getByRole('button', { name: /for which provider/ }).click()
      await form.getByRole('row', { name: /Backblaze B2/ }).waitFor()
      await form.getByLabel('S3 Endpoint URL').fill(ceph.endpoint)
      await form.getByLabel('Bucket Name').fill(bucket)
      await form.getByLabel('Access Key').fill(ceph.accessKeyId)
      await form.getByLabel('Secret Key').fill(ceph.secretAccessKey)
      await form.getByRole('switch', { name: 'Force Path Style' }).check({ force: true })
      assert.deepEqual(await barriersOf(page), [])
      await form.getByRole('button', { name: 'Test' }).click()
      await form.getByText('The test has passed').waitFor()
      await form.getByRole('button', { name: 'Create', exact: true }).click()
      await form.waitFor({ state: 'detached' })
      await list.locator('[data-kind=s3] .tabler-icon-cloud-filled').waitFor()

      const more = async (item: string) => {
        await page.getByRole('button', { name: 'More for “cloud”' }).click()
        await page.getByRole('menuitem', { name: item }).click()
      }
      await more('Edit')
      const edited = page.getByRole('dialog', { name: 'Edit DB backup' })
      const secret = edited.getByLabel('Secret Key')
      await secret.waitFor()
      assert.equal(await secret.inputValue(), `${ceph.secretAccessKey.slice(0, 4)}****`)
      await edited.getByRole('textbox', { name: 'Prefix' }).fill('holdfast')
      await edited.getByRole('button', { name: 'Save' }).click()
      await edited.waitFor({ state: 'detached' })
      await more('Back up now')
      await page.getByText('The backup has been ordered').waitFor()
      await list.getByRole('row', { name: /cloud.*succeeded/ }).waitFor()
      assert.deepEqual(complaints, [])
    },
  )

  it('shows a key that it made up once, and sends a message before a channel is added', async () => {
    await using receiver = await startHttpReceiver(() => ({ status: 404, body: 'not here' }))
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto('/settings/keys')
    await page.getByRole('button', { name: 'Add key' }).click()
    const key = page.getByRole('dialog')
    await key.getByRole('textbox', { name: 'Name' }).fill('vault')
    await key.getByRole('button', { name: 'Add key' }).click()
    const secret = await key.locator('code').innerText()
    assert.ok(secret.length >= 12, secret)
    assert.ok(await key.getByRole('button', { name: 'Done' }).isDisabled())
    await key.getByLabel('I have saved it').check()
    await key.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('row', { name: /vault.*active/ }).waitFor()
    assert.ok(!(await page.content()).includes(secret))

    await page.goto('/settings/notifications')
    await page.getByRole('button', { name: 'Add channel' }).click()
    const channel = page.getByRole('dialog')
    await channel.getByRole('radio', { name: 'Webhook' }).click()
    await channel.getByRole('textbox', { name: 'Name' }).fill('status page')
    await channel.getByRole('textbox', { name: 'URL' }).fill(receiver.origin)
    await channel.getByLabel('Secret').fill('a-secret-of-ours')
    await channel.getByRole('button', { name: 'Send a test message' }).click()
    await channel.getByText('The test has failed').waitFor()
    receiver.answer(() => ({ status: 204 }))
    await channel.getByRole('button', { name: 'Send a test message' }).click()
    await channel.getByText('The test has passed').waitFor()
    await channel.getByRole('button', { name: 'Add channel' }).click()
    await page.getByRole('row', { name: /status page.*Nothing was sent yet/ }).waitFor()
    assert.deepEqual(complaints, [])
  })

  it('says what becomes of old app backups where nothing is removed', async () => {
    await using bed = await openBed()
    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto('/settings/db-backup')
    const local = page.getByLabel('Maximum retained local backups')
    const remote = page.getByLabel('Maximum retained remote backups')
    await local.waitFor()
    assert.deepEqual([await local.inputValue(), await remote.inputValue()], ['7', '30'])
    await local.fill('16')
    await page.getByText('must be a whole number from 0 to 15').waitFor()
    await local.fill('0')
    await page.getByText('0 turns clean-up off').waitFor()
    await page.getByText(/1 or higher is recommended/).waitFor()
    await remote.fill('100000')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The retention is saved').waitFor()
    await settled(page)
    assert.deepEqual(await barriersOf(page), [])
    const settings = await bed.api.get<Record<string, unknown>>('GET', '/api/v1/instance-settings')
    assert.deepEqual([settings['localAppBackups'], settings['remoteAppBackups']], [0, 100_000])
    assert.deepEqual(complaints, [])
  })
})
