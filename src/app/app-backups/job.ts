import { sep } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { ownToken } from '../../lib/identity.ts'
import { realPathOf } from '../../lib/real-path.ts'
import { appBackupCauses } from '../../shared/app-backups.ts'
import { asAppError } from '../../shared/errors.ts'
import { schemaOf } from '../../store/migrate.ts'
import { announce } from '../notifications/announce.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { nowOf } from '../clock.ts'
import { jobError } from '../jobs/run-job.ts'
import { forgetThreads } from '../notifications/threads.ts'
import { adopt } from './adopt.ts'
import { removeInterrupted } from './interrupted.ts'
import { keyOf } from './key.ts'
import { forgetFailed, type MadeBackup, removeOld, removeUnfinished, storeBackup } from './make.ts'
import { snapshotStore } from './snapshot.ts'
import {
  allRegistrations,
  backupsOf,
  findAnyRegistration,
  insertFailed,
  type RegistrationRow,
} from './store.ts'
import { describeTarget, openForReading, openTarget } from './targets.ts'

const payload = z.object({ registrationId: z.string(), cause: z.enum(appBackupCauses) })

/** Makes a backup of the app’s own database, for one registration. */
export const appBackup = defineJob({
  payload,
  async run(work) {
    const { context, payload, log } = work
    const registration = await findAnyRegistration(context.store.db, payload.registrationId)
    const isWanted = registration?.isEnabled === 1 || payload.cause === 'manual'
    if (!registration || registration.deletedAt !== null || !isWanted) {
      log('info', 'The registration is gone, or switched off: nothing is to be done.')
      return { result: { skipped: true } }
    }
    await using begun = await begin(work, registration)
    const { target, snapshot } = begun
    log(
      'info',
      `The store with schema ${snapshot.schemaVersion} has been copied: ${snapshot.file.bytes} bytes.`,
    )
    const made = await storeBackup(
      context,
      registration,
      target,
      snapshot,
      payload.cause,
      work,
      (record, made) =>
        work.finish({
          async record(trx) {
            await record(trx)
            await forgetThreads(trx, work.organizationId, [threadKey(registration.id)])
          },
          result: resultOf(registration.name, made),
        }),
    )
    log('info', `It was put to ${target.volume.location}.`)
    const { removed } = await removeOld(context, registration, target, made, work)
    if (removed > 0) log('info', `${removed} old ones were removed.`)
    return undefined // it is finished already
  },
  async endedBadly(context, trx, job) {
    if (job.state !== 'failed') return
    const { id: jobId, organizationId, payload, error } = job
    const name = (await findAnyRegistration(trx, payload.registrationId))?.name ?? payload.registrationId
    await announce(context, trx, {
      organizationId,
      event: 'app-backup.failed',
      title: `The app backup “${name}” has failed`,
      text: `Holdfast’s own database was not backed up: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`,
      facts: [
        { label: 'Registration', value: name },
        { label: 'Cause', value: payload.cause },
      ],
      data: {
        registrationId: payload.registrationId,
        registration: name,
        cause: payload.cause,
        jobId,
        error,
      },
      path: `/jobs/${jobId}`,
      thread: { key: threadKey(payload.registrationId), is: 'going-on' },
    })
  },
})

/** Removes what killed processes have left, and takes up what lies in the app’s own folders. */
export const tidyAppBackups = defineJob({
  payload: z.object({}),
  async run(work) {
    const { context } = work
    await removeInterrupted(context.store.place, context.dataDirectory)
    for (const registration of await allRegistrations(context.store.db)) {
      try {
        await using target = await openTarget(context, registration)
        await removeUnfinished(context, registration, target, work)
        if (!(await isOwnFolder(work, target.volume.folder))) continue
        await using volume = await openForReading(context, registration)
        const adopted = await adopt(context, registration, volume, work)
        if (adopted > 0) work.log('info', `${adopted} were found in ${volume.location}.`)
      } catch (error) {
        work.signal.throwIfAborted()
        work.log('warning', `The registration “${registration.name}”: ${asAppError(error).message}`)
      }
    }
  },
})

/** What is wrong before anything is put anywhere is known to the registry, too. */
async function begin(work: Work<z.output<typeof payload>>, registration: RegistrationRow) {
  const { context } = work
  await using stack = new AsyncDisposableStack()
  try {
    const target = stack.use(await openTarget(context, registration))
    await removeUnfinished(context, registration, target, work)
    const snapshot = stack.use(await snapshotStore(context, work))
    const cleanUp = stack.move()
    return { target, snapshot, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() }
  } catch (error) {
    work.signal.throwIfAborted()
    const { store } = context
    const { current: schemaVersion } = await schemaOf(store)
    await insertFailed(store, {
      id: uuidv7(),
      registrationId: registration.id,
      key: keyOf(await nowOf(store), schemaVersion),
      location: (await describeTarget(context, registration))?.location ?? '',
      cause: work.payload.cause,
      schemaVersion,
      maker: ownToken(),
      error: JSON.stringify(jobError(asAppError(error))),
    })
    await forgetFailed(context, await backupsOf(store.db, [registration.id]))
    throw error
  }
}

function threadKey(registrationId: string): string {
  return `app-backup:${registrationId}`
}

/** Of what lies in another folder nobody knows whether it is ours. */
async function isOwnFolder({ context }: Work<unknown>, folder: string | undefined): Promise<boolean> {
  if (folder === undefined) return false
  const [path, own] = await Promise.all([folder, context.dataDirectory].map(realPathOf))
  return path?.startsWith(`${own}${sep}`) === true
}

function resultOf(registration: string, { id, ...made }: MadeBackup) {
  return { registration, appBackupId: id, ...made }
}
