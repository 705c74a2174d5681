import { globSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const PARTS = 4

/** Whose tests run in one process: they all work with the whole app, and leave nothing behind in their process. */
const folders = ['app', 'channels', 'client', 'shared', 'store']

/** The test files that run together, from the root of the repository. */
export function togetherFiles(): string[] {
  return folders.flatMap((folder) => globSync(`src/${folder}/**/*.test.ts`, { cwd: root })).sort()
}

/**
 * Runs a part of them, one after the other. Each by itself would load the app anew, and do everything cold: that takes
 * longer than the tests themselves.
 */
export async function runTogether(part: 1 | 2 | 3 | 4): Promise<void> {
  const files = togetherFiles().filter((_, n) => n % PARTS === part - 1)
  for (const file of files) await import(join(root, file))
}
