import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Sealer } from '../lib/sealing.ts'
import { AppError } from '../shared/errors.ts'
import { maskSecret } from '../shared/secrets.ts'

/*
 * Which settings are secret is known from the driver's schema alone. A value is a secret if any alternative of its
 * schema, as it is read or as it is parsed, says so; what the schema does not know at all is never stored nor shown.
 */

/** Settings that the driver's schema has parsed: JSON, with the secrets in the clear. */
export type Settings = Record<string, unknown>

/**
 * The settings as they are stored: JSON in which every secret is a token of the sealer, for its own place below the
 * context (`volumes/<id>` and `secretAccessKey`). Throws `invalid_input` for what the schema does not know.
 */
export function sealSettings(
  schema: z.ZodType,
  settings: Settings,
  sealer: Sealer,
  context: string,
): Settings {
  return walk(schema, settings, {
    secret: (text, path) => sealer.seal(text, below(context, path)),
    unknown: 'refuse',
  })
}

/**
 * The settings that were stored, with the secrets in the clear. Throws `key_wrong`, and `decryption_failed` for a
 * secret that was changed, moved from elsewhere, or stored in the clear. The driver's schema has still to parse them:
 * it may have changed.
 */
export function openSettings(schema: z.ZodType, stored: Settings, sealer: Sealer, context: string): Settings {
  return walk(schema, stored, {
    secret: (token, path) => sealer.open(token, below(context, path)),
    unknown: 'keep',
  })
}

/** What the API may show of opened settings: every secret is masked; what is absent stays absent. */
export function maskSettings(schema: z.ZodType, settings: Settings): Settings {
  return walk(schema, settings, { secret: maskSecret, unknown: 'drop' })
}

/**
 * What the submitted settings mean where these are stored (both opened; the result has still to be parsed). A secret
 * that equals the mask of the stored one, or is not there, keeps it; an empty one, or null, clears it; anything else
 * replaces it. All that is no secret is as it was submitted. A secret that may come and go (in one of several
 * alternatives, or as an entry of a record) is cleared if it is not there. Elements of an array are found again by what
 * is shown of them; throws `invalid_input` where a mask stands in an array and it cannot be told for which secret.
 */
export function mergeMasked(schema: z.ZodType, stored: Settings, submitted: Settings): Settings {
  return merge(nodesOf(schema), stored, submitted, [], []) as Settings
}

/** The stored secrets that `mergeMasked` keeps because of a mask, or of nothing at all: `inner.password`. */
export function keptSecrets(schema: z.ZodType, stored: Settings, submitted: Settings): string[] {
  const kept: Path[] = []
  merge(nodesOf(schema), stored, submitted, [], kept)
  return kept.map((path) => path.join('.'))
}

/**
 * The settings that decide to whom secrets are sent, as far as they are not the same in both: a host, a user. The
 * schema says so of each (`addressee` in its meta). How a line is protected is none of them: whoever asks for a
 * certificate, or gives the one of a new authority, need not know the password.
 */
export function changedAddressees(schema: z.ZodType, before: Settings, after: Settings): string[] {
  const [former, present] = [before, after].map((settings) => addresseesOf(schema, settings))
  const names = new Set([...(former?.keys() ?? []), ...(present?.keys() ?? [])])
  return [...names].filter((name) => former?.get(name) !== present?.get(name))
}

function addresseesOf(schema: z.ZodType, settings: Settings): Map<string, string> {
  const found = new Map<string, string>()
  const look = (at: Node[], value: unknown, path: Path): void => {
    if (value === undefined) return
    if (at.some(({ schema }) => schema['addressee'] === true)) {
      found.set(path.join('.'), JSON.stringify(value))
    } else if (Array.isArray(value)) {
      for (const [index, element] of value.entries()) look(childrenOf(at, index), element, [...path, index])
    } else if (isRecord(value)) {
      for (const name of Object.keys(value)) look(childrenOf(at, name), value[name], [...path, name])
    }
  }
  look(nodesOf(schema), settings, [])
  return found
}

/** A part of a JSON schema that a value must, or may, agree with. */
interface Node {
  schema: JsonSchema
  /** For `$ref`. */
  root: JsonSchema
  /** Whether its absence says something: it is one of several alternatives, or an entry of a record. */
  comesAndGoes: boolean
}

interface JsonSchema {
  $ref?: string
  type?: string
  secret?: boolean
  properties?: Record<string, JsonSchema>
  patternProperties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema | boolean
  prefixItems?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  [keyword: string]: unknown
}

interface Visitor {
  secret(text: string, path: Path): string
  unknown: 'refuse' | 'keep' | 'drop'
}

type Path = readonly (string | number)[]

const nodes = new WeakMap<z.ZodType, Node[]>()

function nodesOf(schema: z.ZodType): Node[] {
  const known = nodes.get(schema)
  if (known) return known
  const made = (['input', 'output'] as const).flatMap((io) => {
    const root = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema
    return expand({ schema: root, root, comesAndGoes: false })
  })
  nodes.set(schema, made)
  return made
}

/** The node, and all that stand for it: what it refers to, and what it is a union or an intersection of. */
function expand(node: Node, seen = new Set<JsonSchema>()): Node[] {
  const { schema, root } = node
  if (seen.has(schema)) return []
  seen.add(schema)
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(
    ({ type }) => type !== 'null',
  )
  return [
    node,
    ...(schema.$ref === undefined ? [] : expand({ ...node, schema: refer(schema.$ref, root) }, seen)),
    ...(schema.allOf ?? []).flatMap((part) => expand({ ...node, schema: part }, seen)),
    ...alternatives.flatMap((part) => {
      const comesAndGoes = node.comesAndGoes || alternatives.length > 1
      return expand({ schema: part, root, comesAndGoes }, seen)
    }),
  ]
}

/** `#` and `#/$defs/name`. */
function refer(reference: string, root: JsonSchema): JsonSchema {
  let found: unknown = root
  for (const step of reference.split('/').slice(1)) found = (found as Record<string, unknown>)[step]
  return found as JsonSchema
}

/** What the schema says about a property, or an element. Nothing: it does not know it. */
function childrenOf(parents: Node[], step: string | number): Node[] {
  return parents.flatMap((node) => {
    const { schema } = node
    if (isUnconstrained(schema)) return [node]
    if (typeof step === 'number') {
      const part = schema.prefixItems?.[step]
      const parts = part ? [part] : asSchemas(schema.items)
      return parts.flatMap((part) => expand({ ...node, schema: part }))
    }
    const { properties = {}, patternProperties = {}, additionalProperties } = schema
    const named = Object.hasOwn(properties, step) ? properties[step] : undefined
    if (named) return expand({ ...node, schema: named })
    const entries = [...Object.values(patternProperties), ...asSchemas(additionalProperties)]
    return entries.flatMap((part) => expand({ ...node, schema: part, comesAndGoes: true }))
  })
}

function asSchemas(part: JsonSchema | boolean | undefined): JsonSchema[] {
  return typeof part === 'object' ? [part] : []
}

/** Takes whatever comes: z.unknown(), or what a transformation makes. */
function isUnconstrained(schema: JsonSchema): boolean {
  const limits = ['type', '$ref', 'anyOf', 'oneOf', 'allOf', 'properties', 'additionalProperties', 'items']
  return limits.every((keyword) => schema[keyword] === undefined)
}

function isSecret(at: Node[]): boolean {
  return at.some(({ schema }) => schema.secret === true)
}

function walk(schema: z.ZodType, settings: Settings, visitor: Visitor): Settings {
  return visit(nodesOf(schema), settings, [], visitor) as Settings
}

function visit(at: Node[], value: unknown, path: Path, visitor: Visitor): unknown {
  if (at.length === 0 && visitor.unknown === 'refuse') {
    throw new AppError('invalid_input', `“${path.join('.')}” is not a setting.`)
  }
  if (Array.isArray(value)) {
    const elements = value.map((element, index) => {
      const children = childrenOf(at, index)
      if (children.length === 0 && visitor.unknown === 'drop') return undefined
      return visit(children, element, [...path, index], visitor)
    })
    return elements.filter((element) => element !== undefined)
  }
  if (isRecord(value)) {
    return build(Object.keys(value), (name) => {
      const children = childrenOf(at, name)
      if (value[name] === undefined || (children.length === 0 && visitor.unknown === 'drop')) return undefined
      return visit(children, value[name], [...path, name], visitor)
    })
  }
  if (!isSecret(at) || value === null) return value
  if (typeof value === 'string') return visitor.secret(value, path)
  throw new AppError('invalid_input', `“${path.join('.')}” is a secret, and must be text.`)
}

/**
 * `kept` learns of every secret that stays without having been submitted. `masks`: those of the other secrets of an
 * array, none of which may be taken for a new secret.
 */
function merge(
  at: Node[],
  stored: unknown,
  submitted: unknown,
  path: Path,
  kept: Path[],
  masks?: ReadonlySet<string>,
): unknown {
  if (Array.isArray(submitted)) {
    return mergeArray(at, Array.isArray(stored) ? stored : [], submitted, path, kept)
  }
  if (isRecord(submitted)) {
    const former = isRecord(stored) ? stored : {}
    const names = new Set([...Object.keys(submitted), ...Object.keys(former)])
    return build([...names], (name) => {
      const children = childrenOf(at, name)
      const before = Object.hasOwn(former, name) ? former[name] : undefined
      const after = Object.hasOwn(submitted, name) ? submitted[name] : undefined
      const place = [...path, name]
      if (after !== undefined) return merge(children, before, after, place, kept, masks)
      if (!isSecret(children) || typeof before !== 'string') return undefined
      if (children.some(({ comesAndGoes }) => comesAndGoes)) return undefined
      if (before !== '') kept.push(place)
      return before
    })
  }
  if (!isSecret(at)) return submitted
  if (submitted === '' || submitted === null) return undefined
  if (typeof submitted !== 'string') return submitted
  if (typeof stored === 'string' && submitted === maskSecret(stored)) {
    kept.push(path)
    return stored
  }
  if (masks?.has(submitted)) throw unclear(path)
  return submitted
}

function mergeArray(
  at: Node[],
  stored: unknown[],
  submitted: unknown[],
  path: Path,
  kept: Path[],
): unknown[] {
  const masks = new Set<string>()
  const shown = stored.map((element, index) => {
    const secret = (text: string) => {
      const mask = maskSecret(text)
      if (mask !== '') masks.add(mask)
      return mask
    }
    return visit(childrenOf(at, index), element, [], { secret, unknown: 'drop' })
  })
  const former = masks.size > 0 ? pair(stored, shown, submitted) : new Map<number, number>()
  const merged = submitted.map((element, now) => {
    const before = former.get(now)
    const children = childrenOf(at, now)
    const earlier = before === undefined ? undefined : stored[before]
    return merge(children, earlier, element, [...path, now], kept, masks)
  })
  return merged.filter((element) => element !== undefined)
}

/**
 * For the places in the submitted array those of the same elements in the stored one, as far as that is certain:
 * first what looks the same, then what only stands at the same place in an array of the same length.
 */
function pair(stored: unknown[], shown: unknown[], submitted: unknown[]): Map<number, number> {
  const pairs = new Map<number, number>()
  const free = new Set(stored.keys())
  const places = [...submitted.keys()]
  const match = (now: number, before: number) => {
    if (!pairs.has(now) && free.delete(before)) pairs.set(now, before)
  }
  const isSame = (now: number, before: number) => isDeepStrictEqual(submitted[now], shown[before])
  const isOfSameLength = stored.length === submitted.length
  for (const now of places) if (isOfSameLength && isSame(now, now)) match(now, now)
  for (const now of places) {
    const [before, ...others] = [...free].filter((before) => isSame(now, before))
    if (before === undefined) continue
    const asked = places.filter((other) => !pairs.has(other) && isSame(other, before)).length
    // When fewer are left of several that look the same, it cannot be seen which of them went.
    const isCertain =
      others.length < asked || others.every((other) => isDeepStrictEqual(stored[other], stored[before]))
    if (isCertain) match(now, before)
  }
  for (const now of places) if (isOfSameLength) match(now, now)
  return pairs
}

function unclear(path: Path): AppError {
  return new AppError(
    'invalid_input',
    `It cannot be told which stored secret “${path.join('.')}” stands for.`,
    {
      hint: 'Enter the secret again.',
    },
  )
}

/** An object with these properties as far as they have values; also one called `__proto__` is a property. */
function build(names: string[], value: (name: string) => unknown): Record<string, unknown> {
  const entries = names.map((name) => [name, value(name)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A name may contain the slash that separates names. */
function below(context: string, path: Path): string {
  return [context, ...path.map((step) => encodeURIComponent(String(step).toWellFormed()))].join('/')
}
