import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { engineNamed, engines } from '../../engines/index.ts'
import { listDatabases } from '../../runner/unfinished-restores.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { NewServer, ServerChanges } from '../../shared/servers.ts'
import { setCapacity } from '../../store/queue.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { holdOrganization } from '../hold.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openSettings, sealSettings, type Settings } from '../secrets.ts'
import { usersInWords } from '../users.ts'
import { deleteServer, findServer, insertServer, type ServerRow, updateServer, usersOf } from './store.ts'

export { findServer } from './store.ts'
export type { ServerRow } from './store.ts'

const PLACE = { name: 'connection', owner: 'this engine' }

/** Adds a server. Throws `invalid_input` with the wrong fields of its connection, and `name_taken`. */
export async function addServer(
  { store, sealer }: AppContext,
  organizationId: string,
  { engine, connection, labels, ...rest }: NewServer,
): Promise<ServerRow> {
  const id = uuidv7()
  const settings = parseSettings(schemaOf(engine), connection, PLACE)
  return await savingName(store, 'server', rest.name, () =>
    store.db.transaction().execute(async (trx) => {
      await setCapacity(trx, serverResource(id), rest.maxRunning)
      return await insertServer(store, trx, organizationId, {
        id,
        engine,
        ...valuesOf({ ...rest, labels }),
        connection: JSON.stringify(sealSettings(schemaOf(engine), settings, sealer, contextOf(id))),
      })
    }),
  )
}

/**
 * Changes what is given of a server; its `revision` must be the one given, if one is. Throws `not_found`,
 * `changed_meanwhile`, and what adding throws.
 */
export async function changeServer(
  { store, sealer }: AppContext,
  organizationId: string,
  id: string,
  changes: ServerChanges,
  revision: number | undefined,
): Promise<ServerRow> {
  return await savingName(store, 'server', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      const found = await findServer(trx, organizationId, id)
      if (!found) throw noServer()
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The server')
      const schema = schemaOf(found.engine)
      const stored = openedConnection({ sealer }, found)
      const settings =
        changes.connection === undefined ? stored : changeSettings(schema, stored, changes.connection, PLACE)
      const { name, maxRunning } = { ...found, ...changes }
      const labels = changes.labels ?? (JSON.parse(found.labels) as Record<string, string>)
      const flags = {
        isProduction: changes.isProduction ?? found.isProduction === 1,
        isProtected: changes.isProtected ?? found.isProtected === 1,
      }
      await setCapacity(trx, serverResource(id), maxRunning)
      const updated = await updateServer(store, trx, found, {
        ...valuesOf({ name, maxRunning, labels, ...flags }),
        connection: JSON.stringify(sealSettings(schema, settings, sealer, contextOf(id))),
      })
      if (!updated) throw changedMeanwhile('The server')
      return updated
    }),
  )
}

/** Throws `not_found`, and `in_use` with the names of the plans and scheduled restores that use it. */
export async function removeServer({ store }: AppContext, organizationId: string, id: string): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = (await findServer(trx, organizationId, id)) ?? throwNow(noServer())
    const { plans, scheduledRestores, unseenRestores } = await usersOf(trx, id)
    const seen = usersInWords([
      { what: 'plan', names: plans },
      { what: 'scheduled restore', names: scheduledRestores },
    ])
    const unseen =
      unseenRestores === 0
        ? undefined
        : `${unseenRestores} scheduled restore${unseenRestores === 1 ? '' : 's'} that you may not see`
    const users = [seen, unseen].filter((part) => part !== undefined)
    if (users.length > 0) {
      throw new AppError('in_use', `The server “${found.name}” is used by ${users.join(', and by ')}.`, {
        hint: 'Delete them first; each plan asks what becomes of its snapshots.',
      })
    }
    await deleteServer(trx, organizationId, id)
  })
}

/** Throws `not_found`. */
export async function serverOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<ServerRow> {
  return (await findServer(store.db, organizationId, id)) ?? throwNow(noServer())
}

/** The settings of a server with its secrets in the clear. */
export function connectionOf({ sealer }: Pick<AppContext, 'sealer'>, row: ServerRow): Settings {
  return parseSettings(schemaOf(row.engine), openedConnection({ sealer }, row), PLACE)
}

/** The same, with what a form says instead. Throws `invalid_input`. */
export function changedConnectionOf(
  { sealer }: Pick<AppContext, 'sealer'>,
  row: ServerRow,
  submitted: Settings,
): Settings {
  return changeSettings(schemaOf(row.engine), openedConnection({ sealer }, row), submitted, PLACE)
}

/** What a form says of a server that is not there yet. Throws `invalid_input`. */
export function newConnection(engine: string, submitted: Settings): Settings {
  return parseSettings(schemaOf(engine), submitted, PLACE)
}

/** The databases of the server that can be backed up. */
export async function databasesOf(
  context: AppContext,
  row: ServerRow,
  signal: AbortSignal,
): Promise<string[]> {
  const engine = engineNamed(row.engine)
  return (await listDatabases({ engine, connection: connectionOf(context, row) }, signal)).databases
}

/** As they were stored: the schema may have changed since. */
function openedConnection({ sealer }: Pick<AppContext, 'sealer'>, row: ServerRow): Settings {
  const { id, engine, connection } = row
  return openSettings(schemaOf(engine), JSON.parse(connection) as Settings, sealer, contextOf(id))
}

/** What the jobs of a server share. */
export function serverResource(id: string): string {
  return `server:${id}`
}

/** The place that secrets are sealed for. */
function contextOf(id: string): string {
  return `servers/${id}/connection`
}

export function schemaOf(engine: string): z.ZodType {
  if (Object.hasOwn(engines, engine)) return engineNamed(engine).connection
  const message = `must be one of ${Object.keys(engines).join(', ')}`
  throw new AppError('invalid_input', `engine: ${message}`, { fields: [{ field: 'engine', message }] })
}

function valuesOf(server: {
  name: string
  labels: Record<string, string>
  isProduction: boolean
  isProtected: boolean
  maxRunning: number
}) {
  const { name, labels, isProduction, isProtected, maxRunning } = server
  return {
    name,
    maxRunning,
    labels: JSON.stringify(labels),
    isProduction: Number(isProduction),
    isProtected: Number(isProtected),
  }
}

function noServer(): AppError {
  return new AppError('not_found', 'There is no such server.')
}
