import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { it } from 'node:test'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { buildApp } from '../app.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'

const HTML = `<!doctype html>
<meta name="holdfast-base-path" content="" />
<script src="./color-scheme.js"></script>
<script type="module" src="./assets/index-1.js"></script>
`
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

async function builtPage() {
  const folder = await tempFolder('page')
  await mkdir(join(folder.path, 'assets'))
  const script = 'console.info(1)'
  await writeFile(join(folder.path, 'index.html'), HTML)
  await writeFile(join(folder.path, 'assets/index-1.js'), script)
  await writeFile(join(folder.path, 'assets/index-1.js.gz'), gzipSync(script))
  await writeFile(join(folder.path, 'secret.txt'), 'not for others')
  return folder
}

describeStores('the page', (makePlace) => {
  it('is answered to every address of its own, to whoever asks', async () => {
    await using folder = await builtPage()
    await using opened = await openApp(makePlace, { pageDirectory: folder.path })
    for (const url of ['/', '/servers', '/servers/1/edit?tab=a', '/sign-in', '/apis']) {
      const { statusCode, headers, body } = await opened.app.inject({ url, headers: asBrowser })
      assert.equal(statusCode, 200, url)
      assert.match(headers['content-type'] as string, /^text\/html/)
      assert.match(headers['content-security-policy'] as string, /script-src 'self';/)
      assert.equal(headers['cache-control'], 'no-cache')
      assert.match(body, /src="\/assets\/index-1\.js"/)
    }
  })

  it('is not answered to programs, nor for what the API or its own files would be', async () => {
    await using folder = await builtPage()
    await using opened = await openApp(makePlace, { pageDirectory: folder.path })
    const { app } = opened
    for (const [method, url, headers] of [
      ['GET', '/servers', { accept: 'application/json' }],
      ['POST', '/servers', asBrowser],
      ['GET', '/api/v1/nothing', asBrowser],
      ['GET', '/health/nothing', asBrowser],
      ['GET', '/secret.txt', {}],
      ['GET', '/assets/../secret.txt', {}],
      ['GET', '/assets/..%2fsecret.txt', {}],
      ['GET', '/assets/nothing.js', {}],
    ] as const) {
      const { statusCode, headers: answered, body } = await app.inject({ method, url, headers })
      assert.ok(statusCode >= 400, `${method} ${url}: ${statusCode}`)
      assert.match(answered['content-type'] as string, /^application\/problem\+json/, url)
      assert.doesNotMatch(body, /not for others/)
    }
  })

  it('has files that are kept for ever, compressed as they lie there', async () => {
    await using folder = await builtPage()
    await using opened = await openApp(makePlace, { pageDirectory: folder.path })
    const { statusCode, headers, rawPayload } = await opened.app.inject({
      url: '/assets/index-1.js',
      headers: { 'accept-encoding': 'gzip' },
    })
    assert.equal(statusCode, 200)
    assert.equal(headers['content-encoding'], 'gzip')
    assert.match(headers['cache-control'] as string, /max-age=31536000, immutable/)
    assert.deepEqual(rawPayload, gzipSync('console.info(1)'))
  })

  it('knows below which path a proxy shows it', async () => {
    await using folder = await builtPage()
    await using opened = await openApp(makePlace)
    await using app = await buildApp(
      { ...opened.context, basePath: '/tools/backups' },
      { pageDirectory: folder.path },
    )
    const { body } = await app.inject({ url: '/servers', headers: asBrowser })
    assert.match(body, /content="\/tools\/backups"/)
    assert.match(body, /src="\/tools\/backups\/color-scheme\.js"/)
  })

  it('says how it is built where it has not been', async () => {
    await using folder = await tempFolder('no-page')
    await using opened = await openApp(makePlace, { pageDirectory: folder.path })
    const { statusCode, body } = await opened.app.inject({ url: '/', headers: asBrowser })
    assert.equal(statusCode, 404)
    assert.match(body, /npm run build:page/)
  })
})
