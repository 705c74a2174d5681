// Writes src/client/api.ts from the OpenAPI document of the app; a test says when it is out of date.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app/app.ts'
import { makeKey, sealer } from '../src/lib/sealing.ts'
import { openStore } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  items?: Schema
  prefixItems?: Schema[]
  description?: string
}

interface Content {
  content?: Record<string, { schema?: Schema }>
}

interface Operation {
  summary?: string
  parameters?: { in: string; name: string; required?: boolean; description?: string; schema: Schema }[]
  requestBody?: Content & { required?: boolean }
  responses: Record<string, Content>
}

export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** How the app describes itself. */
export async function apiDocument(): Promise<ApiDocument> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-client-types-'))
  try {
    await using store = await openStore({ path: join(folder, 'store.db') })
    await migrate(store)
    const app = await buildApp({
      store,
      sealer: sealer({ current: makeKey() }),
      instanceKeys: [],
      timeZone: 'UTC',
      dataDirectory: folder,
      workDirectory: join(folder, 'work'),
      heartbeats: new Map(),
    })
    await app.ready()
    const document = app.swagger() as unknown as ApiDocument
    await app.close()
    return document
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The types of everything that can be asked of the API, and of what it answers. */
export function clientTypes({ paths, components }: ApiDocument): string {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${typeOf(schema, '')}\n`,
  )
  const operations = Object.entries(paths)
    .flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
      ),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, operation]) => `${comment(operation.summary, '  ')}  '${name}': ${given(operation)}\n`)
  return [
    '// Made by scripts/client-types.ts from the OpenAPI document: do not edit it.\n',
    ...schemas,
    `export interface Operations {\n${operations.join('')}}\n`,
  ].join('\n')
}

function given({ parameters = [], requestBody, responses }: Operation): string {
  const parts = [
    ...parametersOf(
      'params',
      parameters.filter((parameter) => parameter.in === 'path'),
    ),
    ...parametersOf(
      'query',
      parameters.filter((parameter) => parameter.in === 'query'),
    ),
    ...bodyOf(requestBody),
    `    answer: ${answerOf(responses)}\n`,
  ]
  return `{\n${parts.join('')}  }`
}

function parametersOf(name: string, parameters: NonNullable<Operation['parameters']>): string[] {
  if (parameters.length === 0) return []
  const schema: Schema = {
    type: 'object',
    properties: Object.fromEntries(
      parameters.map(({ name, schema, description }) => [name, { ...schema, description }]),
    ),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  }
  const mark = schema.required?.length ? '' : '?'
  return [`    ${name}${mark}: ${typeOf(schema, '    ')}\n`]
}

function bodyOf(body: Operation['requestBody']): string[] {
  const schema = body?.content?.['application/json']?.schema
  return schema ? [`    body${body.required ? '' : '?'}: ${typeOf(schema, '    ')}\n`] : []
}

/** What is not JSON is read by other means than by types. */
function answerOf(responses: Operation['responses']): string {
  const types = Object.entries(responses)
    .filter(([status]) => /^2\d\d$/.test(status))
    .map(([, { content }]) => {
      if (!content) return 'null'
      const schema = content['application/json']?.schema
      return schema ? typeOf(schema, '    ') : 'unknown'
    })
  return [...new Set(types)].join(' | ') || 'unknown'
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.replace('#/components/schemas/', '')
  if ('const' in schema) return literal(schema.const)
  if (schema.enum) return union(schema.enum.map(literal))
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives) return union(alternatives.map((part) => typeOf(part, indent)))
  if (schema.allOf) {
    const { allOf, ...own } = schema
    return intersection([own, ...allOf].map((part) => typeOf(part, indent)))
  }
  if (Array.isArray(schema.type)) {
    return union(schema.type.map((type) => typeOf({ ...schema, type }, indent)))
  }
  switch (schema.type) {
    case 'object':
      return objectOf(schema, indent)
    case 'array':
      if (schema.prefixItems) return `[${schema.prefixItems.map((part) => typeOf(part, indent)).join(', ')}]`
      return arrayOf(typeOf(schema.items ?? {}, indent))
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'integer':
    case 'number':
      return 'number'
    case undefined:
      return 'unknown'
    default:
      throw new Error(`There is no type for ${schema.type}.`)
  }
}

function objectOf({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  const rest =
    typeof additionalProperties === 'object'
      ? `Record<string, ${typeOf(additionalProperties, indent)}>`
      : 'Record<string, unknown>'
  if (!properties) return rest
  const below = `${indent}  `
  const fields = Object.entries(properties).map(([name, schema]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`
    const mark = required.includes(name) ? '' : '?'
    return `${comment(schema.description, below)}${below}${key}${mark}: ${typeOf(schema, below)}\n`
  })
  const object = `{\n${fields.join('')}${indent}}`
  return typeof additionalProperties === 'object' ? `${object} & ${rest}` : object
}

function arrayOf(type: string): string {
  return / [|&] /.test(type) ? `(${type})[]` : `${type}[]`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : JSON.stringify(value)
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ') || 'never'
}

/** What only says how a text must look has no type. */
function intersection(types: readonly string[]): string {
  const known = [...new Set(types)].filter((type) => type !== 'unknown')
  if (known.length < 2) return known[0] ?? 'unknown'
  return known.map((type) => (/ [|&] /.test(type) ? `(${type})` : type)).join(' & ')
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /')} */\n`
}

if (import.meta.main) {
  writeFileSync(new URL('../src/client/api.ts', import.meta.url), clientTypes(await apiDocument()))
}
