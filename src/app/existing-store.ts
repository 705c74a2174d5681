import { access } from 'node:fs/promises'
import { AppError } from '../shared/errors.ts'
import { openStore, type Store } from '../store/database.ts'
import { schemaOf } from '../store/migrate.ts'
import type { Configuration } from './configuration.ts'
import { type HeldStore, holdStore } from './serve.ts'

/**
 * Opens the store of an app that has been started with this release, for commands that work beside it. Throws
 * `not_found`, `store_older` and `store_newer`.
 */
export async function openExistingStore(place: Configuration['store']): Promise<Store> {
  if ('path' in place && !(await isThere(place.path))) throw noStore(place.path)
  const store = await openStore(place)
  try {
    const { current, newest } = await schemaOf(store)
    if (current === 0) throw noStore(store.location)
    if (current < newest) throw older(store, current, newest)
    if (current > newest) throw newer(store, current, newest)
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Makes sure that no app works on the store. Throws `store_in_use`; `onLost` hears if an app has begun to all the same,
 * because this process was held up. PostgreSQL keeps nobody out: there only `check` tells.
 */
export async function holdAlone(
  place: Configuration['store'],
  store: Store,
  onLost: (error: AppError) => void,
): Promise<HeldStore> {
  if (store.engine === 'sqlite') {
    // By a connection of its own: the other one may be busy for long.
    await using stack = new AsyncDisposableStack()
    const holding = stack.use(await openStore(place))
    const { check } = stack.use(await holdStore(holding, onLost))
    const held = stack.move()
    return { check, [Symbol.asyncDispose]: () => held.disposeAsync() }
  }
  const check = () => refuseOthers(store)
  await check()
  return { check, [Symbol.asyncDispose]: async () => {} }
}

async function refuseOthers(store: Store): Promise<void> {
  const others = await store.otherSessions()
  if (others === 0) return
  const what = others === 1 ? 'Another process of Holdfast has' : `${others} other processes of Holdfast have`
  throw new AppError('store_in_use', `${what} the store ${store.location} open.`, {
    hint: 'Stop all nodes and workers first.',
  })
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

function noStore(location: string): AppError {
  return new AppError('not_found', `There is no store of Holdfast at ${location}.`, {
    hint: 'Run this with the environment of the app: HOLDFAST_DATA_DIR, or DATABASE_URL. “holdfast serve” makes a store at its first start.',
  })
}

function older({ location }: Store, current: number, newest: number): AppError {
  return new AppError(
    'store_older',
    `The store ${location} has schema ${current}; this release has ${newest}.`,
    { hint: 'Start this release once with “holdfast serve”: it brings the store up to date.' },
  )
}

function newer({ location }: Store, current: number, newest: number): AppError {
  return new AppError(
    'store_newer',
    `The store ${location} has schema ${current}; this release knows up to ${newest}.`,
    { hint: 'Use the release of Holdfast that runs on it.' },
  )
}
