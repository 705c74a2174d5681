import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isOver } from '../../lib/identity.ts'
import { realPathOf } from '../../lib/real-path.ts'

/** How a dump is called that a restore keeps of what was there before: its time follows. */
export const KEPT_DUMP = 'holdfast.before-restore-'

/** What is made has the token of its maker behind its name until it is whole. */
const UNFINISHED = /^\.(.+)\.([0-9a-f]{12}-\d+-\d*)(-wal|-shm|-journal)?$/

/** Removes what restores of the app itself have left that were killed. */
export async function removeInterrupted(
  store: { path: string } | { url: string },
  dataDirectory: string,
): Promise<void> {
  const file = 'path' in store ? await realPathOf(store.path) : undefined
  for (const folder of new Set([dataDirectory, ...(file === undefined ? [] : [dirname(file)])])) {
    for (const name of await namesIn(folder)) {
      const [, whole, token] = UNFINISHED.exec(name) ?? []
      if (whole === undefined || token === undefined || isOver(token) !== true) continue
      if (!whole.startsWith(KEPT_DUMP) && (file === undefined || whole !== basename(file))) continue
      await rm(join(folder, name), { force: true })
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // a new machine
    throw error
  }
}
