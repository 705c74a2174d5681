import type { FastifySchema } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { problem } from '../shared/problems.ts'

/*
 * What the description of the API says of every operation is said here, once: its id, how it fails, and which headers
 * it understands. What a route does is said by the route.
 */

type DescribeRoute = typeof jsonSchemaTransform
type DescribeApi = typeof jsonSchemaTransformObject

interface Described extends FastifySchema {
  hide?: boolean
  headers?: { type: 'object'; properties: Record<string, unknown> }
}

const idempotencyKey = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description:
    'A new UUID, or the one of a request that is sent again: then it is answered again, and not done twice',
}
const ifMatch = {
  type: 'string',
  description: 'The ETag of what was read: if somebody has changed it since, nothing is changed (412)',
}
const lastEventId = {
  type: 'string',
  description: 'The id of the last event that was received: the stream goes on behind it',
}

/** For @fastify/swagger: a route as its schemas say, with what all have in common. */
export const describeRoute: DescribeRoute = (document) => {
  const { schema, url } = jsonSchemaTransform(document)
  const { method, config } = document.route
  const described = schema as Described & Record<string, unknown>
  if (!described || described.hide) return { schema, url }
  described['operationId'] = operationIdOf(String(method), url)
  if (config?.isPublic) described['security'] = []
  const headers = {
    ...described.headers?.properties,
    ...(method === 'POST' && !config?.isPublic && { 'Idempotency-Key': idempotencyKey }),
    ...((method === 'PATCH' || method === 'PUT') && { 'If-Match': ifMatch }),
    ...(JSON.stringify(described.response ?? {}).includes('text/event-stream') && {
      'Last-Event-ID': lastEventId,
    }),
  }
  if (Object.keys(headers).length > 0) described.headers = { type: 'object', properties: headers }
  return { schema: described, url }
}

/** For @fastify/swagger: the document, with the problems of every operation, and no schema that nothing refers to. */
export const describeApi: DescribeApi = (document) => {
  const described = jsonSchemaTransformObject(document) as unknown as ApiDocument
  for (const item of Object.values(described.paths)) {
    for (const operation of Object.values(item)) {
      operation.responses['4XX'] = { $ref: '#/components/responses/Problem' }
      operation.responses['5XX'] = { $ref: '#/components/responses/Problem' }
    }
  }
  const id = problem.meta()?.id ?? 'Problem'
  described.components.responses = {
    Problem: {
      description: 'What went wrong, and what helps',
      content: { 'application/problem+json': { schema: { $ref: `#/components/schemas/${id}` } } },
    },
  }
  return tidied(described)
}

interface ApiDocument {
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
  components: { schemas: Record<string, unknown>; responses?: Record<string, unknown> }
}

const SCHEMA = /"#\/components\/schemas\/([^"]+)"/g

/**
 * Each schema comes twice, as it is sent and as it is answered. What nothing refers to goes; what is left only as
 * `NewServerInput` is called `NewServer`.
 */
function tidied(document: ApiDocument): ApiDocument {
  const { schemas } = document.components
  const used = usedBy({ ...document, components: { ...document.components, schemas: {} } }, schemas)
  const names = new Map(
    [...used].map((name) => {
      const plain = name.replace(/Input$/, '')
      const isFree = !used.has(plain) || JSON.stringify(schemas[plain]) === JSON.stringify(schemas[name])
      return [name, isFree ? plain : name]
    }),
  )
  const kept = Object.fromEntries(
    [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, shown]) => [shown, schemas[name]] as const),
  )
  const text = JSON.stringify({ ...document, components: { ...document.components, schemas: kept } })
  return JSON.parse(
    text.replace(SCHEMA, (_, name: string) => `"#/components/schemas/${names.get(name) ?? name}"`),
  ) as ApiDocument
}

/** The names of the schemas that a part of the document refers to, and those that these refer to. */
function usedBy(part: unknown, schemas: Record<string, unknown>, used = new Set<string>()): Set<string> {
  for (const [, name = ''] of JSON.stringify(part).matchAll(SCHEMA)) {
    if (used.has(name)) continue
    used.add(name)
    usedBy(schemas[name], schemas, used)
  }
  return used
}

/** `POST /api/v1/servers/:id/test` is postServersByIdTest. */
function operationIdOf(method: string, url: string): string {
  const words = url
    .replace(/^\/api\/v1\//, '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? `by-${part.slice(1)}` : part))
    .join('-')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return method.toLowerCase() + words.join('')
}
