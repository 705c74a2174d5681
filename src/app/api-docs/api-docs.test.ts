import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { placeOf } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'

describe('the API’s pages', () => {
  it('show its description to everybody, with nothing from elsewhere', async () => {
    await using folder = await tempFolder('docs')
    await using app = await openApp(async () => placeOf('sqlite', { path: join(folder.path, 'store.db') }))
    const page = await app.get('/api/docs')
    assert.equal(page.statusCode, 200)
    assert.match(String(page.headers['content-type']), /^text\/html/)
    const policy = String(page.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.doesNotMatch(`${policy}${page.body}`, /https?:/)

    const base = 'http://app.example/api/docs'
    const [, program = ''] = /<script src="([^"]+)"/.exec(page.body) ?? []
    const [, document = ''] = /data-url="([^"]+)"/.exec(page.body) ?? []
    const [, settings = ''] = /data-configuration="([^"]+)"/.exec(page.body) ?? []
    assert.equal(JSON.parse(settings.replaceAll('&quot;', '"')).telemetry, false)
    const { pathname, search } = new URL(program, base)
    const script = await app.get(pathname + search)
    assert.equal(script.statusCode, 200)
    assert.match(String(gunzipSync(script.rawPayload)), /data-configuration[^]*createApiReference/)
    const described = await app.get(new URL(document, base).pathname)
    assert.match(described.json().openapi, /^3\.1/)
  })
})
