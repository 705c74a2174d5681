import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { apiDocument, clientTypes } from '../../scripts/client-types.ts'

describe('the client', () => {
  it('has the types of the API as it is (node scripts/client-types.ts writes them)', async () => {
    const kept = readFileSync(new URL('api.ts', import.meta.url), 'utf8')
    const made = clientTypes(await apiDocument())
    assert.ok(kept === made, 'src/client/api.ts is out of date: node scripts/client-types.ts')
  })

  it('has a type for every form that a schema takes', () => {
    const types = clientTypes({
      components: {
        schemas: {
          Odd: {
            type: 'object',
            required: ['a-b', 'c'],
            properties: {
              'a-b': { enum: ['it’s', "it's", 1, null] },
              c: {
                anyOf: [
                  { type: 'array', items: { type: ['string', 'null'] } },
                  { $ref: '#/components/schemas/Odd' },
                ],
              },
              d: { type: 'array', prefixItems: [{ type: 'integer' }, {}] },
              e: { type: 'object', additionalProperties: { type: 'boolean' } },
              g: { type: 'string', allOf: [{}, { description: 'of a pattern' }] },
              f: { allOf: [{ const: 'x' }, { type: 'string' }], description: 'a */ b' },
            },
          },
        },
      },
      paths: {
        '/x/{id}': {
          post: {
            parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }],
            requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
            responses: {
              204: {},
              200: { content: { 'text/plain': { schema: { type: 'string' } } } },
              '4XX': {},
            },
          },
        },
      },
    })
    for (const part of [
      String.raw`  'a-b': 'it’s' | 'it\'s' | 1 | null`,
      '  c: (string | null)[] | Odd',
      '  d?: [number, unknown]',
      '  e?: Record<string, boolean>',
      '  g?: string',
      "  /** a * / b */\n  f?: 'x' & string",
      "  'POST /x/{id}': {\n    params: {\n      id: string\n    }\n    body?: Record<string, unknown>\n    answer: unknown | null\n",
    ]) {
      assert.ok(types.includes(part), `${part}\nin\n${types}`)
    }
  })
})
