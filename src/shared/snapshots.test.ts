import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { manifestJsonSchema } from '../../scripts/manifest-schema.ts'
import { errors } from './errors.ts'
import { version } from './version.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

describe('what is published of our formats', () => {
  it('has the JSON schema of manifests as it is (node scripts/manifest-schema.ts writes it)', () => {
    assert.equal(read('docs/formats/manifest.schema.json'), manifestJsonSchema())
  })

  it('explains every error code', () => {
    const page = read('docs/guide/errors.md')
    for (const code of Object.keys(errors)) assert.match(page, new RegExp(`^\\| \`${code}\` \\|`, 'm'), code)
  })

  it('has one version', () => {
    assert.equal((JSON.parse(read('package.json')) as { version: string }).version, version)
  })
})
