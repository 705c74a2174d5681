import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type PrefixName, prefixes, type Prefix } from './needs-list.ts'

/** Raised when the way a prefix is made changes, so that older ones are made anew. */
const recipe = 2

const everyones = '/var/cache/holdfast-tests'

/**
 * Prefixes are kept outside the repository: servers that run as `nobody` must reach them, and a prefix is bound
 * to its path.
 */
export const cacheFolder =
  process.env['HOLDFAST_TEST_CACHE'] ??
  (process.getuid?.() === 0 ? everyones : join(homedir(), '.cache', 'holdfast-tests'))

const stampSchema = z.object({ builtAt: z.iso.datetime(), packages: z.array(z.string()) })
const failureSchema = z.object({ failedAt: z.iso.datetime(), reason: z.string() })
export type Stamp = z.infer<typeof stampSchema>
export type Failure = z.infer<typeof failureSchema>

/** Where the prefix is, or is to be. One that root has made serves everyone. */
export function prefixFolder(name: PrefixName): string {
  const { suite, packages }: Prefix = prefixes[name]
  const key = createHash('sha256').update(JSON.stringify([recipe, process.arch, suite, packages]))
  const folder = `${name}-${key.digest('hex').slice(0, 10)}`
  const shared = join(everyones, folder)
  if (process.env['HOLDFAST_TEST_CACHE'] === undefined && existsSync(stampFile(shared))) return shared
  return join(cacheFolder, folder)
}

/** Written last: a prefix without it was interrupted. */
export function stampFile(folder: string): string {
  return join(folder, '.complete.json')
}

export function failureFile(folder: string): string {
  return `${folder}.failed.json`
}

export function isComplete(name: PrefixName): boolean {
  return readJson(stampFile(prefixFolder(name)), stampSchema) !== undefined
}

export function lastFailure(name: PrefixName): Failure | undefined {
  return readJson(failureFile(prefixFolder(name)), failureSchema)
}

function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  return existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
