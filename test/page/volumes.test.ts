import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { makeSample } from '../../src/app/demo/sample.ts'
import { startCeph } from '../servers/ceph.ts'
import { skipUnless } from '../servers/needs.ts'
import { s3Client } from '../servers/s3-server.ts'
import { barriersOf, openBed, settled } from './bed.ts'

interface Thing {
  id: string
}

describe('volumes, in a browser', { skip: skipUnless('chromium') }, () => {
  it('stay where they are, unless all their files were moved', async () => {
    await using bed = await openBed()
    const { api, beside } = bed
    const [former, present] = [join(beside, 'former'), join(beside, 'present')]
    makeSample(join(beside, 'shop.db'))
    const settings = { path: former }
    const volume = await api.get<Thing>('POST', '/api/v1/volumes', { name: 'disk', kind: 'local', settings })
    const connection = { path: join(beside, 'shop.db') }
    const server = { name: 'shop', engine: 'sqlite', connection }
    const { id: serverId } = await api.get<Thing>('POST', '/api/v1/servers', server)
    const plan = { name: 'by hand', serverId, volumes: [{ id: volume.id }] }
    const { id: planId } = await api.get<Thing>('POST', '/api/v1/plans', plan)
    await api.get('POST', `/api/v1/plans/${planId}/run`, { wait: true })

    await using opened = await bed.openSignedIn()
    const { page, complaints } = opened
    await page.goto('/volumes')
    await page.getByRole('link', { name: 'disk' }).click()
    await page.getByRole('link', { name: '1 copy' }).waitFor()
    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByText('1 copy lies on this volume').waitFor()
    await page.getByLabel('Path').fill(present)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(/keeps 1 copy of snapshots/).waitFor()
    await page.getByLabel('The files were moved').check()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(/1 of 1 copies are not at/).waitFor()
    await cp(former, present, { recursive: true })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(present).waitFor()

    // What would be forgotten with it is said before, and a plan is in the way.
    await page.getByRole('button', { name: 'More for “disk”' }).click()
    await page.getByRole('menuitem', { name: 'Forget volume' }).click()
    await page.getByText('Plan “by hand”').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Forget volume' }).isDisabled())
    await api.get('DELETE', `/api/v1/plans/${planId}?snapshots=keep`)
    await page.reload()
    await page.getByRole('button', { name: 'More for “disk”' }).click()
    await page.getByRole('menuitem', { name: 'Forget volume' }).click()
    await page.getByText('1 snapshot that has a copy nowhere else').waitFor()
    await page.getByLabel('Type “disk” to go on').fill('disk')
    await page.getByRole('button', { name: 'Forget volume' }).click()
    await page.waitForURL('**/volumes')
    await settled(page)
    assert.equal(await page.getByRole('link', { name: 'disk' }).count(), 0)
    assert.deepEqual(complaints, [])
  })

  it(
    'in a bucket say which permission is missing, with the policy to paste',
    {
      skip: skipUnless('ceph'),
    },
    async () => {
      await using ceph = await startCeph()
      const bucket = await ceph.createBucket()
      const { accessKeyId, secretAccessKey, arn } = await ceph.createUser()
      await using bed = await openBed()
      await using opened = await bed.openSignedIn()
      const { page, complaints } = opened

      await page.goto('/volumes/new')
      await page.getByRole('radio', { name: 'S3-compatible object storage' }).click()
      await page.getByRole('textbox', { name: 'Name' }).first().fill('offsite')
      await page.getByRole('textbox', { name: 'Bucket' }).fill(bucket)
      await page.getByRole('textbox', { name: 'Endpoint' }).first().fill(ceph.endpoint)
      await page.getByRole('textbox', { name: 'Access key ID' }).fill(accessKeyId)
      await page.getByLabel('Secret access key').fill(secretAccessKey)
      await page.getByRole('button', { name: 'Test' }).click()
      await page.getByText('The test has failed').waitFor()
      await page
        .getByText(/needs the permission s3:/)
        .first()
        .waitFor()
      const policy = page.locator('pre', { hasText: 's3:AbortMultipartUpload' }).first()
      assert.ok((await policy.innerText()).split('\n').length > 10, 'it has its line breaks')
      assert.deepEqual(await barriersOf(page), [])

      const { Statement: statements } = JSON.parse(await policy.innerText()) as { Statement: object[] }
      const client = s3Client(ceph)
      const granted = statements.map((statement) => ({ ...statement, Principal: { AWS: [arn] } }))
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: granted })
      await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }))
      client.destroy()
      await page.getByRole('button', { name: 'Test' }).click()
      await page.getByText('The test has passed').waitFor()
      await page.getByRole('button', { name: 'Add volume' }).click()
      await page.getByRole('heading', { name: 'offsite', level: 1 }).waitFor()

      // The secret is only a mask in the form, and stays what it was.
      await page.getByRole('link', { name: 'Edit' }).click()
      const secret = page.getByLabel('Secret access key')
      assert.equal(await secret.inputValue(), `${secretAccessKey.slice(0, 4)}****`)
      await page.getByRole('textbox', { name: 'Name' }).first().fill('far away')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('heading', { name: 'far away', level: 1 }).waitFor()
      await page.getByRole('button', { name: 'Test' }).click()
      await page.getByText('The test has passed').waitFor()
      assert.deepEqual(complaints, [])
    },
  )
})
