import { constants } from 'node:fs'
import { copyFile, link, lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolders } from '../../lib/make-folders.ts'
import { createWorkDirectory } from '../../lib/work-directory.ts'
import { AppError } from '../../shared/errors.ts'
import { newServer } from '../../shared/servers.ts'
import type { AppContext } from '../context.ts'
import { makeSample } from '../demo/sample.ts'
import { addServer, type ServerRow } from './servers.ts'
import { serversOfEngine } from './store.ts'

const NAME = 'Sample shop'
export const SAMPLE_ENGINE = 'sqlite'
const FILE = 'shop.db'

/** In the data directory, and yet nothing of Holdfast's own: people restore beside the sample to see how that goes. */
export const SAMPLE_FOLDER = 'sample'

/**
 * Adds a server with a small database to try Holdfast out with. If the organization has it already, that one is returned. A
 * file that is there stays as it is. Throws `name_taken` where another server is called so.
 */
export async function addSampleServer(
  context: AppContext,
  organizationId: string,
): Promise<{ server: ServerRow; isNew: boolean }> {
  const path = join(context.dataDirectory, SAMPLE_FOLDER, FILE)
  await makeFile(path)
  const find = async () => {
    const servers = await serversOfEngine(context.store, organizationId, SAMPLE_ENGINE)
    return servers.find(({ connection }) => (JSON.parse(connection) as { path?: string }).path === path)
  }
  const known = await find()
  if (known) return { server: known, isNew: false }
  const order = newServer.parse({ name: NAME, engine: SAMPLE_ENGINE, connection: { path } })
  try {
    return { server: await addServer(context, organizationId, order), isNew: true }
  } catch (error) {
    // Somebody else was faster.
    const taken = error instanceof AppError && error.code === 'name_taken'
    const added = taken ? await find() : undefined
    if (!added) throw error
    return { server: added, isNew: false }
  }
}

/** It is made beside, and gets its name when it is complete, if nothing has that name. */
async function makeFile(path: string): Promise<void> {
  if (await isThere(path)) return
  const folder = dirname(path)
  await makeFolders(folder, 0o700)
  await using work = await createWorkDirectory(folder)
  const made = join(work.path, FILE)
  makeSample(made)
  try {
    await publish(made, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Throws EEXIST where it would replace anything. Some file systems have no links. */
async function publish(made: string, path: string): Promise<void> {
  try {
    await link(made, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    await copyFile(made, path, constants.COPYFILE_EXCL)
  }
}

/** Also if it is a link to nowhere. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
