import { z } from 'zod'
import { AppError } from './errors.ts'

/** How a dump is made smaller. `threads` above 1 asks for the zstd program; 0 means all cores. */
export const compression = z.discriminatedUnion('method', [
  z.object({ method: z.literal('none') }),
  z.object({ method: z.literal('gzip'), level: z.int().min(1).max(9).default(6) }),
  z.object({
    method: z.literal('zstd'),
    level: z.int().min(1).max(19).default(3),
    threads: z.int().min(0).max(256).default(1),
  }),
])
export type Compression = z.output<typeof compression>

export const compressionMethods = ['none', 'gzip', 'zstd'] as const
export type CompressionMethod = (typeof compressionMethods)[number]

const compressionExtensions: Record<CompressionMethod, string> = { none: '', gzip: '.gz', zstd: '.zst' }

/** What an object is wrapped in so that only a key's holder can read it. */
export type EncryptionMethod = '7z' | 'age'

/** `.zst`, `.gz` or nothing. */
export function compressionExtension(method: CompressionMethod): string {
  return compressionExtensions[method]
}

/** Reads `none`, `gzip`, `gzip:9`, `zstd`, `zstd:19`, `zstd:3:4` (level, then threads; 0 = all cores). */
export function parseCompression(text: string): Compression {
  const [method, level, threads, ...rest] = text.split(':')
  const parsed = compression.safeParse({ method, level: toNumber(level), threads: toNumber(threads) })
  const known =
    rest.length === 0 &&
    !(method === 'none' && level !== undefined) &&
    !(method === 'gzip' && threads !== undefined)
  if (parsed.success && known) return parsed.data
  throw new AppError('invalid_input', `“${text}” is not a compression.`, {
    hint: 'Use none, gzip:1 to gzip:9, or zstd:1 to zstd:19, where :threads may follow (zstd:3:4).',
  })
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : /^\d+$/.test(text) ? Number(text) : Number.NaN
}
