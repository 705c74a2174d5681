import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { z } from 'zod'
import { type TempFolder, tempFolder } from '../../test/servers/temp-folder.ts'
import { placeOf } from '../store/test-bed.ts'
import { openApp } from './test-bed.ts'

/*
 * What the document must be by OpenAPI 3.1, as far as we make use of it. The schemas are strict: what we begin to use
 * later has to be added here, and read up on.
 */

const types = z.enum(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'])
const count = z.int().min(0)

const schema: z.ZodType = z.lazy(() =>
  z.strictObject({
    $ref: z.string().startsWith('#/components/schemas/').optional(),
    type: z.union([types, z.array(types).min(1)]).optional(),
    title: z.string().optional(),
    description: z.string().optional(),
    format: z.string().optional(),
    default: z.unknown().optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).min(1).optional(),
    anyOf: z.array(schema).min(1).optional(),
    oneOf: z.array(schema).min(1).optional(),
    allOf: z.array(schema).min(1).optional(),
    not: schema.optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
    propertyNames: schema.optional(),
    additionalProperties: z.union([z.boolean(), schema]).optional(),
    items: schema.optional(),
    prefixItems: z.array(schema).optional(),
    minItems: count.optional(),
    maxItems: count.optional(),
    minLength: count.optional(),
    maxLength: count.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    exclusiveMaximum: z.number().optional(),
    pattern: z
      .string()
      .refine((text) => new RegExp(text, 'u'))
      .optional(),
    readOnly: z.boolean().optional(),
    writeOnly: z.boolean().optional(),
    deprecated: z.boolean().optional(),
    contentEncoding: z.string().optional(),
    // Ours: see shared/secrets.ts.
    secret: z.boolean().optional(),
    addressee: z.boolean().optional(),
  }),
)
const mediaType = z.strictObject({ schema })
const content = z.record(z.string().regex(/^[\w.+-]+\/[\w.+*-]+$/), mediaType)
const response = z.union([
  z.strictObject({ $ref: z.literal('#/components/responses/Problem') }),
  z.strictObject({ description: z.string(), content: content.optional() }),
])
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z0-9]+$/),
  tags: z.array(z.string().min(1)).length(1),
  summary: z.string().regex(/^[A-Z].+[^.]$/, 'must be words without a full stop'),
  description: z.string().optional(),
  security: z.array(z.strictObject({})).length(0).optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean(),
        description: z.string().optional(),
        schema,
      }),
    )
    .optional(),
  requestBody: z
    .strictObject({ required: z.boolean().optional(), description: z.string().optional(), content })
    .optional(),
  responses: z
    .record(z.string().regex(/^([1-5]\d\d|[45]XX)$/), response)
    .refine((responses) => Object.keys(responses).some((status) => /^[23]\d\d$/.test(status)))
    .refine((responses) => '4XX' in responses && '5XX' in responses),
})
const document = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d$/),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete']), operation),
  ),
  components: z.strictObject({
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer') }),
    ),
    responses: z.strictObject({ Problem: z.strictObject({ description: z.string(), content }) }),
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), schema),
  }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
})
type Document = z.output<typeof document>

describe('the description of the API', () => {
  let folder: TempFolder
  let app: Awaited<ReturnType<typeof openApp>>
  let described: Document
  const routes: RouteOptions[] = []
  before(async () => {
    const collect = (message: unknown) => {
      const { fastify } = message as { fastify: FastifyInstance }
      fastify.addHook('onRoute', (route) => void routes.push(route))
    }
    subscribe('fastify.initialization', collect)
    folder = await tempFolder('openapi')
    app = await openApp(async () => placeOf('sqlite', { path: join(folder.path, 'store.db') }))
    unsubscribe('fastify.initialization', collect)
    described = (await app.get('/api/openapi.json')).json()
  })
  after(async () => {
    await app[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const operations = () =>
    Object.entries(described.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    )

  it('is OpenAPI 3.1', () => {
    const parsed = document.safeParse(described)
    assert.ok(parsed.success, parsed.error && z.prettifyError(parsed.error))
    assert.ok(operations().length > 10)
  })

  it('refers only to what is there, and has nothing that is not referred to', () => {
    const references = [...JSON.stringify(described).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)]
    assert.ok(references.length > 10)
    const components = described.components as Record<string, Record<string, unknown>>
    for (const [, kind = '', name = ''] of references) assert.ok(components[kind]?.[name], `${kind}/${name}`)
    const used = new Set(references.map(([, , name]) => name))
    for (const name of Object.keys(described.components.schemas)) assert.ok(used.has(name), name)
  })

  it('has an id of its own for each operation, and the parameters of its path', () => {
    const ids = operations().map(({ operation }) => operation.operationId)
    assert.deepEqual([...new Set(ids)], ids)
    for (const { name, operation } of operations()) {
      const parameters = operation.parameters ?? []
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter)
      const declared = parameters.filter((parameter) => parameter.in === 'path')
      assert.deepEqual(declared.map(({ name }) => name).sort(), inPath.sort(), name)
      assert.ok(declared.every(({ required }) => required))
      const all = parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
      assert.deepEqual([...new Set(all)], all, name)
    }
  })

  it('says of every operation how it fails, and what a retry needs', () => {
    const { Problem } = described.components.responses
    assert.deepEqual(Object.keys(Problem.content), ['application/problem+json'])
    for (const { name, operation } of operations()) {
      const has = (header: string) => operation.parameters?.some(({ name }) => name === header) === true
      const isPublic = operation.security !== undefined
      assert.equal(has('Idempotency-Key'), name.startsWith('POST ') && !isPublic, name)
      assert.equal(has('If-Match'), name.startsWith('PATCH ') || name.startsWith('PUT '), name)
    }
  })

  it('knows every route, and tells which of them anyone may ask', () => {
    const shown = routes.filter(({ method, schema }) => {
      const isHidden = schema?.hide === true
      return !isHidden && ![method].flat().includes('HEAD')
    })
    const named = shown.map(
      ({ method, url }) =>
        `${[method].flat().join()} ${url.replace(/:(\w+)/g, (_, name: string) => `{${name}}`)}`,
    )
    assert.deepEqual(
      named.sort(),
      operations()
        .map(({ name }) => name)
        .sort(),
    )
    const isPublic = new Set(
      operations()
        .filter(({ operation }) => operation.security !== undefined)
        .map(({ name }) => name),
    )
    for (const name of isPublic) {
      assert.match(
        name,
        /^(GET \/health\/|(GET|POST) \/api\/v1\/(setup|sign-in|password-reset)(\/|$)|POST \/api\/v1\/hooks\/|POST \/api\/v1\/invitations\/(look|accept)$)/,
      )
    }
    assert.ok(isPublic.has('GET /health/live'))
  })
})
