import { dirname, sep } from 'node:path'
import { engineNamed, engines } from '../engines/index.ts'
import { realPathOf } from '../lib/real-path.ts'
import { AppError } from '../shared/errors.ts'
import { unscoped } from '../store/scope.ts'
import { openVolume, type VolumeKind, volumes } from '../volumes/index.ts'
import type { Volume } from '../volumes/volume.ts'
import type { OwnContext } from './identity/callers.ts'
import { countOrganizations } from './organizations/organizations.ts'
import { connectionOf, findServer } from './servers/servers.ts'
import type { Settings } from './secrets.ts'
import { foldersOfOthers } from './volumes/volumes.ts'

/*
 * The files of the machine are reached with the rights of the app, whoever asks. Where several organizations share an
 * instance, its administrators say which of them may be a volume or a database; else the members of one organization
 * could read the files of another.
 */

/**
 * Throws `forbidden` if the kind of volume is a folder of this machine, or one that the machine itself is signed in to, and
 * the caller may not say which.
 */
export async function refuseFolder(own: OwnContext, kind: string, settings: Settings): Promise<void> {
  const { folder, usesKeysOfMachine } = await opened(kind, settings)
  if (usesKeysOfMachine === true) await refuseUnlessAlone(own, 'a volume without keys of its own')
  if (folder === undefined) return
  await refuseUnlessAlone(own, 'a folder of this machine as a volume')
  const path = await realPathOf(folder)
  for (const other of await foldersOfOthers(own, own.organizationId)) {
    const theirs = await realPathOf(other)
    if (!isInside(path, theirs) && !isInside(theirs, path)) continue
    const message = 'must not be, or lie in or around, the volume of another organization'
    throw new AppError('place_taken', `settings: ${message}`, {
      hint: 'Name another folder.',
      fields: [{ field: 'settings', message }],
    })
  }
}

/** Throws `forbidden` if the engine's databases are files of this machine, and the caller may not say which. */
export async function refuseFile(own: OwnContext, engine: string): Promise<void> {
  if (hasFiles(engine)) await refuseUnlessAlone(own, 'a file of this machine as a database')
}

/** The same for a database that lies elsewhere than in the folder of the server's own. */
export async function refuseFileElsewhere(
  own: OwnContext,
  serverId: string,
  database: string | undefined,
): Promise<void> {
  const server = await findServer(own.store.db, own.organizationId, serverId)
  if (!server || database === undefined || !hasFiles(server.engine)) return
  const engine = engineNamed(server.engine)
  const connection = connectionOf(own, server)
  const pathOf = (name: string) => engine.fullName?.(connection, name) ?? name
  let path: string
  try {
    path = pathOf(database)
  } catch (error) {
    // What is no name is refused by others, who say which field it is.
    if (error instanceof AppError && error.code === 'invalid_input') return
    throw error
  }
  const folder = dirname(pathOf('beside'))
  if (!isInside(await realPathOf(path), await realPathOf(folder))) {
    await refuseUnlessAlone(own, `a file outside of ${folder}`)
  }
}

function hasFiles(engine: string): boolean {
  return Object.hasOwn(engines, engine) && engineNamed(engine).fullName !== undefined
}

/** Nothing of settings that are not valid: those are refused by others. */
async function opened(
  kind: string,
  settings: Settings,
): Promise<Pick<Volume, 'folder' | 'usesKeysOfMachine'>> {
  if (!Object.hasOwn(volumes, kind)) return {}
  try {
    await using volume = openVolume(kind as VolumeKind, settings)
    return volume
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_input') return {}
    throw error
  }
}

async function refuseUnlessAlone({ caller, store }: OwnContext, what: string): Promise<void> {
  if (caller.isInstanceAdministrator) return
  // Whoever sees only some servers could name the file of another one.
  if (caller.servers !== null) throw mayNotName(what, 'Your role is limited to some servers.')
  const count = await store.db.transaction().execute((trx) => countOrganizations(unscoped(trx)))
  if (count === 1) return
  throw mayNotName(
    what,
    'Several organizations share this instance, and its files and its own keys belong to none of them.',
  )
}

function mayNotName(what: string, hint: string): AppError {
  return new AppError('forbidden', `Only who administers the instance may name ${what}.`, { hint })
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
