import type { AddressInfo } from 'node:net'
import { isOver, ownToken } from '../lib/identity.ts'
import { sealer } from '../lib/sealing.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { openStore, type Store } from '../store/database.ts'
import { leaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { migrate } from '../store/migrate.ts'
import { instanceKeys, loadAppKey, makeDataDirectory } from './app-key.ts'
import { buildApp } from './app.ts'
import type { Configuration } from './configuration.ts'
import { firstToken, isUnused } from './identity/tokens.ts'

export interface RunningApp extends AsyncDisposable {
  /** `http://127.0.0.1:7300` */
  url: string
  /** What must be told to whoever started it, once: that a key was made, and the first token. */
  notes: string[]
  warnings: string[]
}

const LEASE_NAME = 'app'
const LEASE = 60_000
const RENEW_EVERY = 15_000

/**
 * Opens the store, brings it up to this release, and answers requests. Disposing stops it in order. Throws
 * `store_in_use` if another process runs on the same file.
 */
export async function serve(configuration: Configuration): Promise<RunningApp> {
  await using stack = new AsyncDisposableStack()
  await makeDataDirectory(configuration.dataDirectory)
  const store = stack.use(await openStore(configuration.store))
  await migrate(store)
  if (store.engine === 'sqlite') stack.use(await holdStore(store))

  // On PostgreSQL, another node may have made the key: see docs/guide/configuration.md.
  const mayMake = store.engine === 'postgresql' || (await isUnused(store))
  const key = await loadAppKey(configuration, { mayMake })
  const context = {
    store,
    sealer: sealer(key),
    instanceKeys: instanceKeys(configuration, key),
    timeZone: configuration.timeZone,
    dataDirectory: configuration.dataDirectory,
  }
  const { host, port, tls, log, trustedProxies } = configuration
  const app = await buildApp(context, { logger: { level: log.level }, trustProxy: trustedProxies, tls })
  stack.defer(() => app.close())
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw cannotListen(host, port, error)
  }
  const bound = app.server.address() as AddressInfo
  // Last, because it can be told only this once.
  const token = await firstToken(store)
  const cleanUp = stack.move()
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound.port}`,
    notes: [
      ...(key.note === undefined ? [] : [key.note]),
      ...(token === undefined ? [] : [`The administrator’s token, which is shown this once:\n  ${token}`]),
    ],
    warnings: key.warnings,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/** One app on a file: two would start every backup twice. A holder that is known to be dead is not waited for. */
async function holdStore(store: Store): Promise<AsyncDisposable> {
  const holder = ownToken()
  const take = () => takeLease(store, LEASE_NAME, holder, LEASE)
  if (!(await take())) {
    const other = await leaseHolder(store, LEASE_NAME)
    if (other !== undefined && isOver(other) === true) await releaseLease(store, LEASE_NAME, other)
    if (!(await take())) throw inUse(store, other)
  }
  const renew = async () => {
    try {
      if (!(await take())) throw inUse(store, await leaseHolder(store, LEASE_NAME))
    } catch (error) {
      process.emitWarning(`The store could not be held: ${messageOf(error)}`, 'HoldfastStoreWarning')
    }
  }
  const timer = setInterval(() => void renew(), RENEW_EVERY).unref()
  return {
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

function cannotListen(host: string, port: number, error: unknown): AppError {
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'EADDRINUSE' ? 'something else listens there' : messageOf(error)
  return new AppError('configuration_invalid', `The app cannot listen on ${host}:${port}: ${why}.`, {
    hint: 'Choose another port with HOLDFAST_PORT, or another address with HOLDFAST_HOST.',
    cause: error,
  })
}
