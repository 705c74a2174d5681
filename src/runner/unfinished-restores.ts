import { randomBytes } from 'node:crypto'
import type { Engine } from '../engines/engine.ts'
import { isOver, ownToken } from '../lib/identity.ts'
import { messageOf } from '../shared/errors.ts'
import { cleanupSignal, type JobContext } from './job.ts'

/*
 * A database that is being restored has a name beside the target's, which says what process fills it. So what a killed
 * restore leaves is found and dropped by the next one of the same target, and nothing else ever is.
 */

const MARK = /holdfast_([0-9a-f]{12}-\d+-\d*)_[0-9a-f]{4}$/
const FORMER = /holdfast_former_[0-9a-f]{8}$/

/** The name of a database that this process is about to fill. */
export function unfinishedName(engine: Engine, database: string): string {
  return engine.besideName(database, `holdfast_${ownToken()}_${randomBytes(2).toString('hex')}`)
}

/** The name that a replaced database has until it is dropped. A whole database: nobody ever sweeps it. */
export function formerName(engine: Engine, database: string): string {
  return engine.besideName(database, `holdfast_former_${randomBytes(4).toString('hex')}`)
}

/**
 * The databases of a server as people know them, and apart from those what restores have beside their targets or, when
 * they were killed, have left there: half a database, or one that another has replaced.
 */
export async function listDatabases(
  { engine, connection }: Omit<Target, 'database'>,
  signal: AbortSignal,
): Promise<{ databases: string[]; besides: string[] }> {
  const names = await engine.listDatabases(connection, signal)
  const isBeside = (name: string) => MARK.test(name) || FORMER.test(name)
  return { databases: names.filter((name) => !isBeside(name)), besides: names.filter(isBeside) }
}

interface Target {
  engine: Engine
  connection: unknown
  database: string
}

/**
 * Drops what killed restores of the target have left beside it. A restore does not depend on it: what cannot be
 * listed or dropped is told to the log.
 */
export async function dropUnfinished(
  { engine, connection, database }: Target,
  job: JobContext,
): Promise<void> {
  try {
    await dropBeside({ engine, connection, database }, job)
  } catch (error) {
    job.signal.throwIfAborted()
    job.log(
      'warning',
      `What interrupted restores left of “${database}” could not be dropped: ${messageOf(error)}`,
    )
  }
}

/**
 * Drops all that killed restores of the target have left: beside it, and, where the engine cannot rename, the target
 * itself if its mark says that nobody fills it any more. Throws if it cannot.
 */
export async function dropLeftovers(target: Target, job: JobContext): Promise<void> {
  await dropBeside(target, job)
  const { engine, connection, database } = target
  if (!engine.unfinishedMark || !(await engine.databaseExists(connection, database, job.signal))) return
  const filler = await engine.unfinishedMark.read(connection, database, job.signal)
  const [token = ''] = filler?.split('/') ?? []
  if (isOver(token) !== true) return
  await engine.dropDatabase(connection, database, cleanupSignal(), { endSessions: true })
  job.log('info', `Dropped “${database}”, which an interrupted restore had left half.`)
}

async function dropBeside({ engine, connection, database }: Target, job: JobContext): Promise<void> {
  const names = await namesBeside(engine, connection, database, job.signal)
  for (const name of names.filter((name) => isLeftBehind(engine, database, name))) {
    await engine.dropDatabase(connection, name, cleanupSignal(), { endSessions: true })
    job.log('info', `Dropped “${name}”, which an interrupted restore had left.`)
  }
}

async function namesBeside(
  engine: Engine,
  connection: unknown,
  database: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (engine.listBeside) return await engine.listBeside(connection, database, signal)
  return await engine.listDatabases(connection, signal)
}

function isLeftBehind(engine: Engine, database: string, name: string): boolean {
  const [token, writer = ''] = MARK.exec(name) ?? []
  return token !== undefined && engine.besideName(database, token) === name && isOver(writer) === true
}
