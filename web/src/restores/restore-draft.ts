import type { NewRestore, Restore, RestoreKeys, RestoreMode } from '../../../src/shared/restores.ts'
import type { Settings } from '../parts/schema-form.tsx'
import { givenKeys } from './key-fields.tsx'

/** What the wizard has been told so far. */
export interface RestoreDraft {
  /** Null: the best copy. */
  volumeId: string | null
  serverId: string | null
  mode: RestoreMode
  /** Empty: the server itself, if the snapshot is of that. */
  database: string
  tables: string[]
  options: Settings
  endSessions: boolean
  safetySnapshot: boolean
  runAfter: string
  keys: RestoreKeys
  confirmation: string
}

export const emptyDraft: RestoreDraft = {
  volumeId: null,
  serverId: null,
  mode: 'new',
  database: '',
  tables: [],
  options: {},
  endSessions: false,
  safetySnapshot: true,
  runAfter: '',
  keys: {},
  confirmation: '',
}

/** The same choices as another restore had. */
export function draftOf({ volumeId, serverId, mode, database, options, ...rest }: Restore): RestoreDraft {
  const { tables, ...others } = options
  return {
    ...emptyDraft,
    volumeId,
    serverId,
    mode,
    database: database ?? '',
    tables: Array.isArray(tables) ? tables.map(String) : [],
    options: others,
    endSessions: rest.endSessions,
    safetySnapshot: rest.safetySnapshot,
    runAfter: rest.runAfter ?? '',
  }
}

/** As the API wants it; undefined while something is missing. What the mode has no use for is left out. */
export function orderOf(
  draft: RestoreDraft,
  snapshot: { id: string; format: string },
): NewRestore | undefined {
  const { volumeId, serverId, mode, database, tables, options, endSessions, safetySnapshot, runAfter, keys } =
    draft
  const ofServer = isOfServer(snapshot)
  if (serverId === null || (!ofServer && database.trim() === '')) return undefined
  return {
    snapshotId: snapshot.id,
    ...(volumeId !== null && { volumeId }),
    serverId,
    ...(!ofServer && { database: database.trim() }),
    mode: ofServer ? 'existing' : mode,
    options,
    ...(tables.length > 0 && { tables }),
    endSessions: mode === 'replace' && endSessions,
    safetySnapshot,
    ...(mode !== 'existing' && runAfter.trim() !== '' && { runAfter }),
    ...givenKeys(keys),
  }
}

/** Whether a snapshot holds what belongs to a server itself, like its roles, and no database. */
export function isOfServer({ format }: { format: string }): boolean {
  return format === 'globals'
}
