import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { engines, openDatabaseUrl } from '../engines/index.ts'
import { makeKey, sealer } from '../lib/sealing.ts'
import { maskSecret, secret, secretFields } from '../shared/secrets.ts'
import { openVolume, openVolumeUrl, volumes } from '../volumes/index.ts'
import {
  changedAddressees,
  keptSecrets,
  maskSettings,
  mergeMasked,
  openSettings,
  sealSettings,
} from './secrets.ts'

const seals = sealer({ current: makeKey() })
const CONTEXT = 'volumes/0199'

const drivers: [string, z.ZodType][] = [
  ...Object.entries(engines).map(([name, { connection }]): [string, z.ZodType] => [name, connection]),
  ...Object.entries(volumes).map(([name, { config }]): [string, z.ZodType] => [name, config]),
]

/** Every shape that a schema can have, with secrets in each. */
const shapes = z.object({
  name: z.string(),
  plain: secret('Plain'),
  long: secret('Long').min(3).max(999).optional(),
  nothing: secret('Nothing').nullable().default(null),
  changed: secret('Changed')
    .transform((text) => `${text}!`)
    .optional(),
  inner: z.object({ user: z.string(), password: secret('Password').optional() }).optional(),
  auth: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('password'), password: secret('Password') }),
      z.strictObject({ kind: z.literal('key'), key: secret('Key'), phrase: secret('Phrase').optional() }),
      z.strictObject({ kind: z.literal('none') }),
    ])
    .optional(),
  loose: z.union([z.string(), z.object({ token: secret('Token') })]).optional(),
  prepared: z.preprocess((value) => value, z.object({ pin: secret('PIN') })).optional(),
  piped: z
    .unknown()
    .pipe(z.object({ code: secret('Code') }))
    .optional(),
  tokens: z.array(secret('Token')).optional(),
  hooks: z.array(z.object({ url: z.string(), token: secret('Token').optional() })).optional(),
  pair: z.tuple([z.string(), secret('Second')]).optional(),
  headers: z.record(z.string(), secret('Header')).optional(),
  both: z.intersection(z.object({ id: z.string() }), z.object({ pass: secret('Pass') })).optional(),
  extra: z.unknown().optional(),
  get next() {
    return shapes.optional()
  },
})

const everything = {
  name: 'shapes',
  plain: 'CANARY plain',
  long: 'CANARY long',
  nothing: 'CANARY nothing',
  changed: 'CANARY changed',
  inner: { user: 'u', password: 'CANARY inner' },
  auth: { kind: 'key', key: 'CANARY key', phrase: 'CANARY phrase' },
  loose: { token: 'CANARY loose' },
  prepared: { pin: 'CANARY pin' },
  piped: { code: 'CANARY code' },
  tokens: ['CANARY t0', 'CANARY t1'],
  hooks: [{ url: '/a', token: 'CANARY h0' }, { url: '/b' }],
  pair: ['first', 'CANARY pair'],
  headers: { 'x/y': 'CANARY header', 'a\ud800': 'CANARY half', ['__proto__']: 'CANARY proto' },
  both: { id: 'i', pass: 'CANARY pass' },
  extra: { any: ['thing', { at: 'all' }] },
  next: { name: 'again', plain: 'CANARY next', tokens: ['CANARY t3'] },
}

interface JsonSchema {
  type?: string
  secret?: boolean
  default?: unknown
  enum?: unknown[]
  properties?: Record<string, JsonSchema>
}

/** Settings with something in every field, and a canary in every secret one. They need not be valid together. */
function filled(schema: z.ZodType): Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  const value = (name: string, field: JsonSchema): unknown => {
    if (field.secret) return `CANARY of ${name}`
    if (field.properties)
      return Object.fromEntries(
        Object.entries(field.properties).map(([name, field]) => [name, value(name, field)]),
      )
    return (
      field.default ??
      field.enum?.[0] ??
      { boolean: true, integer: 3, number: 1.5, array: [] }[field.type ?? ''] ??
      `some ${name}`
    )
  }
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, value(name, field)]))
}

const json = (value: unknown) => JSON.stringify(value)

describe('settings with secrets', () => {
  for (const [name, schema] of drivers) {
    it(`of ${name} are stored and shown without any secret`, () => {
      const settings = filled(schema)
      const canaries = json(settings).split('CANARY').length - 1
      assert.equal(canaries, secretFields(schema).length)
      const stored = sealSettings(schema, settings, seals, CONTEXT)
      assert.equal(json(stored).split('hf1.').length - 1, canaries)
      assert.ok(!json(stored).includes('CANARY'))
      assert.deepEqual(openSettings(schema, JSON.parse(json(stored)), seals, CONTEXT), settings)
      const shown = maskSettings(schema, settings)
      assert.equal(json(shown).split('CANA****').length - 1, canaries)
      assert.ok(!json(shown).includes('CANARY'))
      assert.deepEqual(Object.keys(shown), Object.keys(settings))
      assert.deepEqual(mergeMasked(schema, settings, shown), settings)
    })

    it(`of ${name} that are unknown are neither stored nor shown`, () => {
      const settings = { ...filled(schema), Passwort: 'CANARY' }
      const code = { code: 'invalid_input', message: /“Passwort”/ }
      assert.throws(() => sealSettings(schema, settings, seals, CONTEXT), code)
      assert.ok(!('Passwort' in maskSettings(schema, settings)))
    })
  }

  it('of real URLs open a driver again', () => {
    const key = {
      AWS_ACCESS_KEY_ID: 'AKIA0000',
      AWS_SECRET_ACCESS_KEY: 'CANARY-secret',
      HOLDFAST_VOLUME_PASSWORD: 'CANARY-p',
    }
    for (const url of ['s3://bucket/a?path-style=true', 'sftp://u@h/x', '/srv/backups']) {
      const { kind, config, volume } = openVolumeUrl(url, key)
      const { config: schema } = volumes[kind]
      const stored = sealSettings(schema, config, seals, CONTEXT)
      assert.ok(!json(stored).includes('CANARY'), json(stored))
      assert.equal(openVolume(kind, openSettings(schema, stored, seals, CONTEXT)).location, volume.location)
    }
    const password = { HOLDFAST_DATABASE_PASSWORD: 'CANARY' }
    for (const url of ['postgresql://u@h/d?sslmode=require', 'mysql://u@h/d', 'sqlite:///srv/a.db']) {
      const { engine, connection } = openDatabaseUrl(url, password)
      const stored = sealSettings(engine.connection, connection as Record<string, unknown>, seals, CONTEXT)
      assert.ok(!json(stored).includes('CANARY'))
      assert.deepEqual(
        engine.connection.parse(openSettings(engine.connection, stored, seals, CONTEXT)),
        connection,
      )
    }
  })

  it('of every shape are stored and shown without any secret', () => {
    assert.ok(shapes.safeParse(everything).success)
    const canaries = json(everything).split('CANARY').length - 1
    const stored = sealSettings(shapes, everything, seals, CONTEXT)
    assert.ok(!json(stored).includes('CANARY'), json(stored))
    assert.equal(json(stored).split('hf1.').length - 1, canaries)
    assert.deepEqual(openSettings(shapes, JSON.parse(json(stored)), seals, CONTEXT), everything)
    const shown = maskSettings(shapes, everything)
    assert.ok(!json(shown).includes('CANARY'), json(shown))
    assert.equal(json(shown).split('CANA****').length - 1, canaries)
    assert.deepEqual(mergeMasked(shapes, everything, shown), everything)
  })

  it('of every shape come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const text = () => gen(fc.string, { unit: 'grapheme' })
        const flip = () => gen(fc.boolean)
        const settings = {
          name: text(),
          plain: text(),
          ...(flip() ? { nothing: flip() ? null : text() } : {}),
          ...(flip() ? { inner: { user: text(), ...(flip() ? { password: text() } : {}) } } : {}),
          ...(flip() ? { auth: flip() ? { kind: 'none' } : { kind: 'password', password: text() } } : {}),
          ...(flip() ? { tokens: gen(fc.array, fc.string()) } : {}),
          ...(flip()
            ? { headers: gen(fc.dictionary, fc.string(), fc.string(), { noNullPrototype: true }) }
            : {}),
        }
        const stored = sealSettings(shapes, settings, seals, CONTEXT)
        assert.deepEqual(openSettings(shapes, JSON.parse(json(stored)), seals, CONTEXT), settings)
      }),
    )
  })

  it('leave out what is undefined, as JSON does', () => {
    const settings = { name: 'n', plain: 'p', long: undefined }
    assert.deepEqual(Object.keys(sealSettings(shapes, settings, seals, CONTEXT)), ['name', 'plain'])
    assert.deepEqual(Object.keys(maskSettings(shapes, settings)), ['name', 'plain'])
  })

  it('are refused where a secret is no text', () => {
    const settings = { name: 'n', plain: 12_345 }
    for (const call of [
      () => sealSettings(shapes, settings, seals, CONTEXT),
      () => maskSettings(shapes, settings),
    ]) {
      assert.throws(call, { code: 'invalid_input', message: /“plain”/ })
    }
    const wrong = { name: 'n', plain: { CANARY: 'x' } }
    assert.throws(() => sealSettings(shapes, wrong, seals, CONTEXT), { code: 'invalid_input' })
    assert.ok(!json(maskSettings(shapes, wrong)).includes('CANARY'))
  })

  it('do not open in another row, in another field, or in the clear', () => {
    const stored = sealSettings(shapes, everything, seals, CONTEXT) as typeof everything
    const wrong = { code: 'decryption_failed' }
    assert.throws(() => openSettings(shapes, stored, seals, 'volumes/0198'), wrong)
    for (const moved of [
      { ...stored, plain: stored.long },
      { ...stored, plain: 'in the clear' },
      { ...stored, plain: '' },
      { ...stored, tokens: stored.tokens.toReversed() },
    ]) {
      assert.throws(() => openSettings(shapes, moved, seals, CONTEXT), wrong)
    }
  })

  it('do not open where only a slash in a name makes the place look the same', () => {
    const schema = z.record(z.string(), z.union([secret('Flat'), z.record(z.string(), secret('Nested'))]))
    const { 'x/y': token } = sealSettings(schema, { 'x/y': 'hunter2' }, seals, CONTEXT)
    assert.throws(() => openSettings(schema, { x: { y: token } }, seals, CONTEXT), {
      code: 'decryption_failed',
    })
  })
})

describe('to whom secrets are sent', () => {
  for (const [name, schema] of drivers.filter(([, schema]) => secretFields(schema).length > 0)) {
    it(`is told by the settings of ${name}`, () => {
      assert.ok(changedAddressees(schema, {}, filled(schema)).length > 0)
      assert.deepEqual(changedAddressees(schema, filled(schema), filled(schema)), [])
    })
  }

  it('is told of every setting that was changed, came or went, wherever it is', () => {
    const to = (title: string) => z.string().optional().meta({ title, addressee: true })
    const schema = z.object({
      endpoint: to('Endpoint'),
      region: z.string().optional(),
      hooks: z.array(z.object({ url: to('URL'), token: secret('Token').optional() })).optional(),
      auth: z
        .discriminatedUnion('kind', [
          z.object({ kind: z.literal('one'), issuer: to('Issuer') }),
          z.object({ kind: z.literal('two') }),
        ])
        .optional(),
    })
    const before = {
      endpoint: 'https://a.example',
      region: 'x',
      hooks: [{ url: '/a' }, { url: '/b' }],
      auth: { kind: 'one', issuer: 'i' },
    }
    assert.deepEqual(changedAddressees(schema, before, { ...before, region: 'y' }), [])
    assert.deepEqual(changedAddressees(schema, before, { region: 'x' }), [
      'endpoint',
      'hooks.0.url',
      'hooks.1.url',
      'auth.issuer',
    ])
    const moved = { ...before, endpoint: 'https://b.example', hooks: [{ url: '/a' }, { url: '/c' }] }
    assert.deepEqual(changedAddressees(schema, before, moved), ['endpoint', 'hooks.1.url'])
    assert.deepEqual(changedAddressees(schema, { hooks: [] }, { hooks: [{ url: '/a' }] }), ['hooks.0.url'])
  })
})

describe('the mask of a secret', () => {
  it('is its first four characters and four stars; all stars if it has less than eight; nothing if it is empty', () => {
    const cases = {
      minioadmin: 'mini****',
      '12345678': '1234****',
      '1234567': '********',
      a: '********',
      '': '',
    }
    for (const [text, mask] of Object.entries(cases)) assert.equal(maskSecret(text), mask)
    assert.equal(maskSecret('🔑🔑🔑🔑🔑🔑🔑🔑'), '🔑🔑🔑🔑****')
    assert.equal(maskSecret('🔑🔑🔑🔑'), '********')
  })
})

describe('submitted settings', () => {
  const stored = {
    name: 'n',
    plain: 'minioadmin',
    long: 'short',
    inner: { user: 'u', password: 'innersecret' },
  }

  it('tell which secrets they keep without containing them', () => {
    const shown = maskSettings(shapes, { ...stored, tokens: ['ghp_aaaaa', 'xyz_ccccc'], nothing: '' })
    const before = { ...stored, tokens: ['ghp_aaaaa', 'xyz_ccccc'], nothing: '' }
    const all = ['plain', 'long', 'inner.password', 'tokens.0', 'tokens.1']
    assert.deepEqual(keptSecrets(shapes, before, shown).sort(), all.sort())
    assert.deepEqual(keptSecrets(shapes, before, { name: 'm' }).sort(), ['long', 'plain'])
    assert.deepEqual(keptSecrets(shapes, before, { ...before }), [])
    const entered = {
      ...shown,
      plain: 'minioadmin',
      long: '',
      inner: { user: 'u' },
      tokens: ['xyz_****', 'n'],
    }
    assert.deepEqual(keptSecrets(shapes, before, entered).sort(), ['inner.password', 'tokens.0'])
  })

  it('keep a secret that equals its mask, or is not there', () => {
    const shown = maskSettings(shapes, stored)
    assert.deepEqual(shown, {
      name: 'n',
      plain: 'mini****',
      long: '********',
      inner: { user: 'u', password: 'inne****' },
    })
    assert.deepEqual(mergeMasked(shapes, stored, { ...shown, name: 'm' }), { ...stored, name: 'm' })
    assert.deepEqual(mergeMasked(shapes, stored, { name: 'm', inner: { user: 'v' } }), {
      ...stored,
      name: 'm',
      inner: { user: 'v', password: 'innersecret' },
    })
    assert.deepEqual(mergeMasked(shapes, stored, { name: 'm', plain: undefined }), {
      name: 'm',
      plain: 'minioadmin',
      long: 'short',
    })
  })

  it('clear a secret that is empty, and replace it by anything else', () => {
    for (const empty of ['', null]) {
      const { long: _, ...rest } = stored
      assert.deepEqual(mergeMasked(shapes, stored, { ...stored, long: empty }), rest)
    }
    for (const other of ['mini***', 'mini*****', 'Mini****', '********', ' mini****', 'minioadmin']) {
      assert.equal(mergeMasked(shapes, stored, { ...stored, plain: other })['plain'], other)
    }
    // Nothing is stored that this could be the mask of.
    assert.equal(mergeMasked(shapes, { name: 'n' }, { name: 'n', plain: 'mini****' })['plain'], 'mini****')
    assert.equal(
      mergeMasked(shapes, { name: 'n', plain: '' }, { name: 'n', plain: '********' })['plain'],
      '********',
    )
  })

  it('lose what is no secret and not there', () => {
    assert.deepEqual(mergeMasked(shapes, { name: 'n', plain: 'p', extra: 1 }, { name: 'm' }), {
      name: 'm',
      plain: 'p',
    })
    assert.equal(mergeMasked(shapes, stored, { name: 'm' })['inner'], undefined)
  })

  it('do not carry a secret into another alternative, nor keep an entry that was removed', () => {
    const before = {
      ...stored,
      auth: { kind: 'password', password: 'hunter22' },
      headers: { a: 'header-a', b: 'header-b' },
    }
    const after = mergeMasked(shapes, before, {
      ...maskSettings(shapes, before),
      auth: { kind: 'key', key: 'new' },
      headers: { b: 'head****' },
    })
    assert.deepEqual(after['auth'], { kind: 'key', key: 'new' })
    assert.deepEqual(after['headers'], { b: 'header-b' })
  })

  it('find the elements of an array again', () => {
    const hooks = (...list: [string, string?][]) => ({
      name: 'n',
      hooks: list.map(([url, token]) => ({ url, token })),
    })
    const before = hooks(['/a', 'ghp_aaaaa'], ['/b', 'ghp_bbbbb'], ['/c', 'xyz_ccccc'])
    const merged = (...list: [string, string?][]) => mergeMasked(shapes, before, hooks(...list))
    type Hook = [string, string]
    const [a, b, c]: [Hook, Hook, Hook] = [
      ['/a', 'ghp_****'],
      ['/b', 'ghp_****'],
      ['/c', 'xyz_****'],
    ]
    assert.deepEqual(merged(b, c), hooks(['/b', 'ghp_bbbbb'], ['/c', 'xyz_ccccc']))
    assert.deepEqual(merged(c, a, b), hooks(['/c', 'xyz_ccccc'], ['/a', 'ghp_aaaaa'], ['/b', 'ghp_bbbbb']))
    assert.deepEqual(
      merged(a, ['/new', 'ghp_****'], c),
      hooks(['/a', 'ghp_aaaaa'], ['/new', 'ghp_bbbbb'], ['/c', 'xyz_ccccc']),
    )
    assert.deepEqual(
      merged(a, b, c, ['/d', 'secret']),
      hooks(['/a', 'ghp_aaaaa'], ['/b', 'ghp_bbbbb'], ['/c', 'xyz_ccccc'], ['/d', 'secret']),
    )
    assert.deepEqual(merged(), { name: 'n', hooks: [] })
    // Whose token it was cannot be told; to guess would give it to another place.
    assert.throws(() => merged(['/new', 'ghp_****'], c), {
      code: 'invalid_input',
      message: /hooks\.0\.token/,
    })
    assert.throws(() => merged(b, ['/new', 'ghp_****'], c), {
      code: 'invalid_input',
      message: /hooks\.1\.token/,
    })
  })

  it('find the secrets of an array again', () => {
    const before = { tokens: ['ghp_aaaaa', 'ghp_bbbbb', 'xyz_ccccc'] }
    const merged = (...tokens: string[]) => mergeMasked(shapes, before, { tokens })['tokens']
    assert.deepEqual(merged('ghp_****', 'ghp_****', 'xyz_****'), before.tokens)
    assert.deepEqual(merged('ghp_****', '', 'xyz_****'), ['ghp_aaaaa', 'xyz_ccccc'])
    assert.deepEqual(merged('xyz_****'), ['xyz_ccccc'])
    assert.deepEqual(merged('xyz_****', 'ghp_****', 'ghp_****', 'new'), [
      'xyz_ccccc',
      'ghp_aaaaa',
      'ghp_bbbbb',
      'new',
    ])
    assert.throws(() => merged('ghp_****', 'xyz_****'), { code: 'invalid_input', message: /tokens\.0/ })
    assert.throws(() => merged('ghp_****', 'ghp_****', 'ghp_****', 'xyz_****'), { code: 'invalid_input' })
  })
})
