import type { AddressInfo } from 'node:net'
import { isOver, ownToken } from '../lib/identity.ts'
import { sealer } from '../lib/sealing.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { openStore, type Store } from '../store/database.ts'
import { leaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { migrate, schemaOf } from '../store/migrate.ts'
import { instanceKeys, loadAppKey, makeDataDirectory } from './app-key.ts'
import { firstRegistration } from './app-backups/first.ts'
import { migrationBackup } from './app-backups/migration-backup.ts'
import { enqueueTidying } from './app-backups/order.ts'
import { buildApp } from './app.ts'
import { endDemo, prepareDemo } from './demo/demo.ts'
import { recordStart } from './audit/outside-requests.ts'
import type { Configuration } from './configuration.ts'
import type { AppContext } from './context.ts'
import { keepProviderOfEnvironment } from './identity-providers/from-environment.ts'
import { firstOrganization, isUnused, listOrganizations } from './organizations/organizations.ts'
import { prepareOrganization } from './organizations/prepare.ts'
import { startWorkers } from './jobs/workers.ts'
import { startWatch } from './overview/watch.ts'
import { reseal } from './resealing/resealing.ts'
import { startScheduler } from './scheduler/scheduler.ts'
import { keepLocalToken } from './local-token.ts'
import { loggerOf } from './log.ts'
import { linkTo } from './sign-in/reset.ts'
import { makeFirstAdministrator, openSetup } from './sign-in/setup.ts'

export interface RunningApp extends AsyncDisposable {
  /** `http://127.0.0.1:7300`; undefined for a worker, which does not listen. */
  url: string | undefined
  /** What must be told to whoever started it, once: that a key was made, and how the first account is made. */
  notes: string[]
  warnings: string[]
  /** Rejects when it can no longer be: another process has taken the store. Never resolves. */
  lost: Promise<never>
}

export interface RunOptions {
  /** Jobs run in other processes: see `work`. */
  isWithoutRunner?: boolean
  /** How many jobs run at once; the number of cores if absent. */
  concurrency?: number
  /** Of the plans that ask for a label, those with one of these are run here. */
  labels?: readonly string[]
  /** Hears what goes wrong outside of any request and job, in one sentence. */
  onTrouble?: (message: string) => void
}

const LEASE_NAME = 'app'
/** The schema from which on a store can be held. */
const FIRST_WITH_LEASES = 2
const LEASE = 60_000
const RENEW_EVERY = 15_000
/** How long jobs may go on when the app is to stop, before they are handed back. */
const PATIENCE = 10_000

/**
 * Opens the store, brings it up to this release, answers requests, starts what is due, and does it. Disposing stops all
 * that in order. Throws `store_in_use` if another process runs on the same file.
 */
export async function serve(configuration: Configuration, options: RunOptions = {}): Promise<RunningApp> {
  await using stack = new AsyncDisposableStack()
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {}) // whoever waits for it hears it
  await makeDataDirectory(configuration.dataDirectory)
  const store = stack.use(await openStore(configuration.store))
  const { current, newest } = await schemaOf(store)
  // On PostgreSQL, another node may have made the key: see docs/guide/configuration.md.
  const mayMake = store.engine === 'postgresql' || current === 0 || (await isUnused(store))
  const key = await loadAppKey(configuration, { mayMake })
  const context = contextOf(configuration, store, key)

  const backup = migrationBackup(context, configuration.skipsMigrationBackup)
  let held: HeldStore | undefined
  const hold = async () => void (held = stack.use(await holdStore(store, lost.reject)))
  // A file is held before it is migrated, unless it cannot be held yet: then nobody else knows it either.
  const isHoldable = store.engine === 'sqlite' && current >= FIRST_WITH_LEASES && current <= newest
  if (isHoldable) {
    // First of all, so that nothing is written into the store if no backup can be made.
    if (current < newest) await backup.check(current)
    await hold()
  }
  const migrations = await migrate(store, {
    async before(from) {
      await backup.make(from)
      await held?.check() // a backup may take longer than the store stays held if nobody renews that
    },
  })
  if (store.engine === 'sqlite' && !isHoldable) await hold()
  const resealing = await reseal(context)
  await recordStart(store, { migrations, resealed: resealing.resealed })
  const { host, port, tls, log, trustedProxies, pageDirectory } = configuration
  const app = await buildApp(context, {
    logger: loggerOf(log),
    trustProxy: trustedProxies,
    tls,
    pageDirectory,
  })
  stack.defer(() => app.close())
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw cannotListen(host, port, error)
  }
  const bound = app.server.address() as AddressInfo
  await firstOrganization(store)
  await prepare(context)
  const url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound.port}`
  const accounts = await offerFirstAccount(context, configuration, url)
  if (configuration.isDemo) accounts.push(...(await prepareDemo(context)))
  else await endDemo(context)
  const providerWarnings = await keepProviderOfEnvironment(context)
  stack.use(await startWatch(context, options.onTrouble))
  stack.use(startScheduler(context, options.onTrouble))
  if (!options.isWithoutRunner) useWorkers(stack, context, options)
  const cleanUp = stack.move()
  return {
    url,
    notes: [...(key.note === undefined ? [] : [key.note]), ...resealing.notes, ...accounts],
    warnings: [...key.warnings, ...backup.warnings, ...resealing.warnings, ...providerWarnings],
    lost: lost.promise,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/**
 * Does jobs of a store that other processes share, and nothing else. Throws `configuration_invalid` if the store is a
 * file: that belongs to one process.
 */
export async function work(configuration: Configuration, options: RunOptions = {}): Promise<RunningApp> {
  await using stack = new AsyncDisposableStack()
  if ('path' in configuration.store) throw needsPostgresql()
  await makeDataDirectory(configuration.dataDirectory)
  const store = stack.use(await openStore(configuration.store))
  const key = await loadAppKey(configuration, { mayMake: false })
  const context = contextOf(configuration, store, key)
  const backup = migrationBackup(context, configuration.skipsMigrationBackup)
  const migrations = await migrate(store, { before: backup.make })
  const { resealed, notes, warnings } = await reseal(context)
  await recordStart(store, { migrations, resealed })
  useWorkers(stack, context, options)
  const cleanUp = stack.move()
  return {
    url: undefined,
    notes,
    warnings: [...key.warnings, ...backup.warnings, ...warnings],
    lost: new Promise(() => {}),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

function contextOf(
  configuration: Configuration,
  store: Store,
  key: Awaited<ReturnType<typeof loadAppKey>>,
): AppContext {
  return {
    store,
    sealer: sealer(key),
    instanceKeys: instanceKeys(configuration, key),
    timeZone: configuration.timeZone,
    dataDirectory: configuration.dataDirectory,
    workDirectory: configuration.workDirectory,
    heartbeats: new Map(),
    appUrl: configuration.appUrl,
    isTls: configuration.tls !== undefined,
    isDemo: configuration.isDemo,
    basePath: configuration.basePath,
    smtp: configuration.smtp,
    oidc: configuration.oidc,
    managed: configuration.managed,
  }
}

/** As long as nobody has an account: makes it as the environment says, or says how it is made. */
async function offerFirstAccount(
  { store }: AppContext,
  { administrator, appUrl, basePath }: Configuration,
  url: string,
): Promise<string[]> {
  if (administrator && (await makeFirstAdministrator(store, administrator))) {
    return [
      `The account ${administrator.email} was made, with the password of HOLDFAST_ADMIN_PASSWORD. It administers the instance.`,
    ]
  }
  const token = await openSetup(store)
  if (token === undefined) return []
  const page = linkTo(appUrl ?? url + basePath, 'setup', token)
  return [
    `Nobody has an account yet. The first one administers the instance; make it here, before the next start:\n  ${page}\nOr with the token of the setup:\n  ${token}`,
  ]
}

/** What a start does, for each organization: a first volume, a first app backup, and tidying up behind what was killed. */
async function prepare(context: AppContext): Promise<void> {
  const { store } = context
  const organizations = await listOrganizations(store)
  const [first] = organizations
  if (first) await keepLocalToken(context, first.id)
  for (const { id } of organizations) {
    await prepareOrganization(context, id)
  }
  await firstRegistration(context)
  await store.db.transaction().execute((trx) => enqueueTidying(context, trx))
}

function useWorkers(stack: AsyncDisposableStack, context: AppContext, options: RunOptions): void {
  const workers = startWorkers(context, options)
  stack.defer(() => workers.stop(PATIENCE))
}

/** What no other process works on. */
export interface HeldStore extends AsyncDisposable {
  /** Throws `store_in_use` if another one does all the same. */
  check: () => Promise<void>
}

/** One app on a file: two would start every backup twice. A holder that is known to be dead is not waited for. */
export async function holdStore(store: Store, onLost: (error: AppError) => void): Promise<HeldStore> {
  const holder = ownToken()
  const take = () => takeLease(store, LEASE_NAME, holder, LEASE)
  if (!(await take())) {
    const other = await leaseHolder(store, LEASE_NAME)
    if (other !== undefined && isOver(other) === true) await releaseLease(store, LEASE_NAME, other)
    if (!(await take())) throw inUse(store, other)
  }
  const check = async () => {
    if (!(await take())) throw inUse(store, await leaseHolder(store, LEASE_NAME))
  }
  const renew = async () => {
    try {
      await check()
    } catch (error) {
      if (error instanceof AppError && error.code === 'store_in_use') return onLost(error)
      process.emitWarning(`The store could not be held: ${messageOf(error)}`, 'HoldfastStoreWarning')
    }
  }
  const timer = setInterval(() => void renew(), RENEW_EVERY).unref()
  return {
    check,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await releaseLease(store, LEASE_NAME, holder)
    },
  }
}

function inUse(store: Store, holder: string | undefined): AppError {
  const pid = holder?.split('-')[1]
  return new AppError(
    'store_in_use',
    `Another Holdfast${pid === undefined ? '' : ` (process ${pid})`} is running on ${store.location}.`,
    { hint: 'Stop it first. If it is gone without a trace, on another machine, a minute is enough to wait.' },
  )
}

function needsPostgresql(): AppError {
  return new AppError('configuration_invalid', 'A worker needs a store that several processes can share.', {
    hint: 'Set DATABASE_URL to a PostgreSQL database. With the embedded store, “holdfast serve” does the jobs itself.',
  })
}

function cannotListen(host: string, port: number, error: unknown): AppError {
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'EADDRINUSE' ? 'something else listens there' : messageOf(error)
  return new AppError('configuration_invalid', `The app cannot listen on ${host}:${port}: ${why}.`, {
    hint: 'Choose another port with HOLDFAST_PORT, or another address with HOLDFAST_HOST.',
    cause: error,
  })
}
