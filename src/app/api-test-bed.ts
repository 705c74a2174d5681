import { randomUUID } from 'node:crypto'
import type { openApp } from './test-bed.ts'

/*
 * For tests that ask every route: what there is, and what it takes, is what the app's own description says. So a new
 * route is tried without anything being added.
 */

export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  prefixItems?: Schema[]
  minimum?: number
  minItems?: number
  minLength?: number
}

interface Operation {
  security?: unknown[]
  parameters?: { name: string; in: string; schema: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, unknown> }>
}

interface Description {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

export interface Route extends Operation {
  name: string
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  path: string
  isStream: boolean
}

/** Every operation of the API. */
export async function describedRoutes(
  app: Pick<Awaited<ReturnType<typeof openApp>>, 'get'>,
): Promise<{ routes: Route[]; schemas: Record<string, Schema> }> {
  const description: Description = (await app.get('/api/openapi.json')).json()
  const routes = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      ...operation,
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase() as Route['method'],
      path,
      isStream: operation.responses['200']?.content?.['text/event-stream'] !== undefined,
    })),
  )
  return { routes, schemas: description.components.schemas }
}

export function withIds(path: string, id: string): string {
  return path.replace(/\{\w+\}/g, id)
}

export function resolve(schema: Schema, schemas: Record<string, Schema>): Schema {
  if (schema.$ref === undefined) return schema
  return resolve(schemas[schema.$ref.replace('#/components/schemas/', '')] ?? {}, schemas)
}

/** Something that looks as the schema says, as far as types go. */
export function sampleOf(given: Schema, schemas: Record<string, Schema>): unknown {
  const schema = resolve(given, schemas)
  if ('const' in schema) return schema.const
  if (schema.enum) return schema.enum[0]
  const [alternative] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []
  if (alternative) return sampleOf(alternative, schemas)
  switch ([schema.type].flat()[0]) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, schemas)]),
      )
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sampleOf(schema.items ?? {}, schemas))
    case 'string':
      return schema.format === 'uuid' ? randomUUID() : 'x'.repeat(Math.max(schema.minLength ?? 1, 1))
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return false
    case undefined:
    default:
      return null
  }
}
