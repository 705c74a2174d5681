import { readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** As the kernel: whoever follows more links than that goes in a circle. */
const MAX_LINKS = 40

/**
 * The absolute path without symbolic links, also where its end is not there yet, and where a link leads to what is not
 * there. What cannot be looked at is taken as it is written.
 */
export async function realPathOf(path: string, links = MAX_LINKS): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const above = dirname(path)
    if (above === path || links === 0) return path
    const folder = await realPathOf(above, links)
    const target = await targetOf(join(folder, basename(path)))
    return target === undefined
      ? join(folder, basename(path))
      : await realPathOf(resolve(folder, target), links - 1)
  }
}

/** Undefined if it is no link. */
async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch {
    return undefined
  }
}
