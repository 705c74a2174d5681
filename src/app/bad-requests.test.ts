import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { errors } from '../shared/errors.ts'
import { problem } from '../shared/problems.ts'
import { describeStores } from '../store/test-bed.ts'
import { describedRoutes, type Route, resolve, sampleOf, type Schema, withIds } from './api-test-bed.ts'
import { isEverything } from '../../test/servers/share.ts'
import { openApp } from './test-bed.ts'

/*
 * Whatever is sent to whatever route, nobody may be told that something unexpected went wrong. The routes, and what they
 * take, are those of the app's own description: a new one is tried without anything being added here.
 */

interface Try {
  what: string
  url: string
  headers?: Record<string, string>
  payload?: string
  /** Nothing but 4xx is right. Otherwise it may by chance be what the route wants. */
  isWrong: boolean
}

const json = { 'content-type': 'application/json' }
const noIds = [
  'nonsense',
  '%00',
  '%ff',
  '..%2f..%2fetc',
  '__proto__',
  'x'.repeat(300),
  '%F0%9F%92%BE',
  "'--",
  '-1',
]
const noBodies = [
  '',
  '{',
  '[]',
  'null',
  '"x"',
  '42',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}}}',
  '\u0000',
]
const oddValues: unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e300,
  '',
  'x'.repeat(70_000),
  'a\0b',
  '\ud800',
  [],
  [[]],
  {},
  { a: 1 },
]
const oddTexts = [
  '',
  'x',
  '-1',
  '1.5',
  '1e999',
  '99999999999999999999',
  'true',
  '%00',
  '%ED%A0%80',
  'x'.repeat(3000),
  '[]',
  '{}',
]
let turn = 0
/** In the fast share every third one, in turn: no place is tried with all, and each with some. */
function some<T>(values: readonly T[]): readonly T[] {
  turn++
  return isEverything ? values : values.filter((_, n) => n % 3 === turn % 3)
}
const noPlaces = [
  'nonsense',
  ...[
    '{}',
    '[]',
    '[1]',
    '["x"]',
    '[null,"x"]',
    '["x",5]',
    '[1e300,"x"]',
    '[1.5,"x"]',
    '[[],"x"]',
    '["a\\u0000","x"]',
    '["x","\\ud800"]',
    `${'['.repeat(300)}${']'.repeat(300)}`,
  ].map(encode),
]
/** Of one list these are places, of another they are not. */
const oddPlaces = ['["x","x"]', '[1,"x"]', '[-1,"x"]', '[9007199254740991,"x"]'].map(encode)

describeStores(
  'a bad request',
  (makePlace) => {
    let app: Awaited<ReturnType<typeof openApp>>
    let routes: Route[]
    let schemas: Record<string, Schema>
    before(async () => {
      app = await openApp(makePlace)
      ;({ routes, schemas } = await describedRoutes(app))
    })
    after(() => app[Symbol.asyncDispose]())

    /** One of each kind of thing, by its path. */
    const makeThings = async (): Promise<Record<string, string>> => {
      const add = async (kind: string, body: object): Promise<string> => {
        const answer = await app.ask('POST', `/api/v1/${kind}`, body)
        assert.equal(answer.statusCode, 201, answer.body)
        return answer.json().id
      }
      const connection = { host: '127.0.0.1', port: 1, user: 'x', password: 'x' }
      const servers = await add('servers', { name: 'a thing', engine: 'postgresql', connection })
      const settings = {
        bucket: 'backups',
        accessKeyId: 'x',
        secretAccessKey: 'x',
        endpoint: 'http://127.0.0.1:1',
      }
      const volumes = await add('volumes', { name: 'a thing', kind: 's3', settings })
      const schedules = await add('schedules', { name: 'a thing', rule: { type: 'daily', times: ['02:00'] } })
      return {
        servers,
        volumes,
        schedules,
        keys: await add('keys', { name: 'a thing', kind: 'password', password: 'x'.repeat(20) }),
        plans: await add('plans', { serverId: servers, volumes: [{ id: volumes }], schedules: [schedules] }),
        tokens: await add('tokens', { name: 'a thing' }),
      }
    }

    /** Sends them all, and gathers what is not as it must be. */
    const send = async (tries: (route: Route) => Iterable<Try>) => {
      const failures: string[] = []
      let sent = 0
      for (const route of routes) {
        for (const { what, url, headers = {}, payload, isWrong } of tries(route)) {
          sent++
          const response = await app.app.inject({
            method: route.method,
            url,
            headers: { authorization: `Bearer ${app.token}`, ...headers },
            ...(payload !== undefined && { payload }),
          })
          const fault = faultOf(response, isWrong)
          if (fault) failures.push(`${route.name}: ${what.slice(0, 200)} → ${fault}`)
        }
      }
      assert.deepEqual(failures, [])
      assert.ok(sent >= routes.length / 3, `only ${sent} were sent`)
    }

    it('without a token, or with another one, is told nothing', async () => {
      for (const { name, method, path, security } of routes) {
        if (security) continue
        for (const authorization of [
          '',
          'Bearer x',
          `Bearer hf_${'a'.repeat(43)}`,
          `Basic ${app.token}`,
          'Bearer a\u00ff',
        ]) {
          const response = await app.app.inject({
            method,
            url: withIds(path, randomUUID()),
            headers: { authorization, ...json },
            payload: method === 'GET' ? undefined : '{',
          })
          assert.equal(response.statusCode, 401, name)
          assert.equal(problem.parse(response.json()).code, 'not_signed_in')
        }
      }
    })

    it('with an id that there is not is told so', async () => {
      await send(function* ({ path, requestBody }) {
        if (!path.includes('{')) return
        for (const id of [randomUUID(), ...some(noIds)]) {
          const body = requestBody?.content['application/json']?.schema
          yield { what: id, url: withIds(path, id), isWrong: true }
          if (!body) continue
          const payload = JSON.stringify(sampleOf(body, schemas))
          yield {
            what: `${id} with ${payload}`,
            url: withIds(path, id),
            headers: json,
            payload,
            isWrong: true,
          }
        }
      })
    })

    it('with a query that cannot be read is told what is wrong', async () => {
      await send(function* ({ path, parameters = [], isStream }) {
        if (isStream) return
        const url = withIds(path, randomUUID())
        for (const { name, in: place, schema } of parameters) {
          if (place !== 'query') continue
          const { type } = resolve(schema, schemas)
          const isNumber = type === 'integer' || type === 'number'
          for (const text of some(oddTexts)) {
            const isWrong = text === '%00' || (isNumber && !/^(1\.5|-1|)$/.test(text)) || path.includes('{')
            yield { what: `${name}=${text}`, url: `${url}?${name}=${text}`, isWrong }
          }
          yield { what: `${name} twice`, url: `${url}?${name}=1&${name}=2`, isWrong: isNumber }
          yield { what: `${name}[]`, url: `${url}?${name}[a]=1`, isWrong: false }
          if (name !== 'cursor') continue
          for (const cursor of some(noPlaces))
            yield { what: `cursor ${cursor}`, url: `${url}?cursor=${cursor}`, isWrong: true }
          for (const cursor of oddPlaces) {
            const what = `cursor ${Buffer.from(cursor, 'base64url').toString()}`
            yield { what, url: `${url}?cursor=${cursor}`, isWrong: false }
          }
        }
      })
    })

    it('with a header that is none of ours is told so', async () => {
      await send(function* ({ path, parameters = [], requestBody }) {
        const url = withIds(path, randomUUID())
        const schema = requestBody?.content['application/json']?.schema
        const body = schema && { payload: JSON.stringify(sampleOf(schema, schemas)), headers: json }
        for (const { name, in: place } of parameters) {
          if (place !== 'header') continue
          for (const value of ['nonsense nonsense', '"', 'x'.repeat(3000), '"99999999999999999999"']) {
            const isWrong = name !== 'Idempotency-Key' || !body
            const what = `${name}: ${value}`
            yield {
              what,
              url,
              ...body,
              headers: { ...body?.headers, [name]: value },
              isWrong: isWrong && path.includes('{'),
            }
          }
        }
      })
    })

    it('with a body that is none is told so', async () => {
      const large = JSON.stringify({ name: 'x'.repeat(2 * 1024 * 1024) })
      const nested = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
      await send(function* ({ path, method, requestBody }) {
        if (method === 'GET') return
        const url = withIds(path, randomUUID())
        for (const payload of some([...noBodies, large, nested])) {
          const isWrong = requestBody?.required === true || payload === large || payload === '{'
          yield { what: payload.slice(0, 50), url, headers: json, payload, isWrong }
        }
        for (const type of some([
          'text/plain',
          'application/xml',
          'application/x-www-form-urlencoded',
          'nonsense',
          '',
        ])) {
          yield { what: type, url, headers: { 'content-type': type }, payload: '<a/>', isWrong: true }
        }
      })
    })

    it('with a value of another kind is told which', async () => {
      const things = await makeThings()
      await send(function* ({ path, requestBody }) {
        const schema = requestBody?.content['application/json']?.schema
        if (!schema) return
        const url = withIds(path, things[path.split('/')[3] ?? ''] ?? randomUUID())
        for (const form of formsOf(schema, schemas)) {
          const sample = sampleOf(form, schemas)
          if (typeof sample !== 'object' || sample === null) continue
          yield { what: 'the sample', url, headers: json, payload: JSON.stringify(sample), isWrong: false }
          for (const [name, property] of Object.entries(form.properties ?? {})) {
            if (name === 'wait') continue // for jobs that nobody does here
            for (const value of some(oddValues)) {
              const payload = JSON.stringify({ ...sample, [name]: value })
              const isWrong = !isOfItsKind(value, property, schemas)
              yield { what: `${name}: ${JSON.stringify(value)}`, url, headers: json, payload, isWrong }
            }
          }
          const unknown = JSON.stringify({ ...sample, 'no such field': 1 })
          yield { what: 'an unknown field', url, headers: json, payload: unknown, isWrong: false }
        }
      })
    })
  },
  'postgresql',
)

/** What is wrong with an answer; undefined if nothing is. */
function faultOf(
  response: { statusCode: number; headers: Record<string, unknown>; body: string },
  isWrong: boolean,
): string | undefined {
  const { statusCode, headers, body } = response
  // A browser that is on its way to a page is told there what was wrong.
  if (statusCode === 303 && /[?&]error=\w/.test(String(headers['location']))) return undefined
  if (statusCode < 400) return isWrong ? `${statusCode} ${body.slice(0, 200)}` : undefined
  const type = String(headers['content-type'])
  if (!type.startsWith('application/problem+json')) return `${statusCode} as ${type}`
  const parsed = problem.safeParse(JSON.parse(body))
  if (!parsed.success) return `${body.slice(0, 200)} is no problem: ${parsed.error.message}`
  const { code } = parsed.data
  // What was sent may by chance name a machine that does not answer, or a tool that is not there.
  const mayBe = !isWrong && code !== 'internal' && errors[code].status === statusCode
  return statusCode < 500 || mayBe ? undefined : body.slice(0, 300)
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/** The alternatives of a body. */
function formsOf(schema: Schema, schemas: Record<string, Schema>): Schema[] {
  const resolved = resolve(schema, schemas)
  const parts = resolved.anyOf ?? resolved.oneOf
  return parts ? parts.flatMap((part) => formsOf(part, schemas)) : [resolved]
}

function isOfItsKind(value: unknown, given: Schema, schemas: Record<string, Schema>): boolean {
  const schema = resolve(given, schemas)
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (parts) return parts.some((part) => isOfItsKind(value, part, schemas))
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return false
  if (schema.type === undefined) return true
  const kinds = [schema.type].flat()
  if (value === null) return kinds.includes('null')
  if (Array.isArray(value)) return kinds.includes('array')
  if (typeof value === 'number') {
    return kinds.includes('number') || (kinds.includes('integer') && Number.isSafeInteger(value))
  }
  return kinds.includes(typeof value)
}
