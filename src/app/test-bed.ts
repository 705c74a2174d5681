import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { makeKey, sealer, writeKey } from '../lib/sealing.ts'
import type { StorePlace } from '../store/test-bed.ts'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { type AppOptions, buildApp } from './app.ts'
import type { AppContext } from './context.ts'
import { firstOrganization } from './organizations/organizations.ts'
import { openPeople } from './sign-in/test-bed.ts'
import { addToken, unrestricted } from './tokens/tokens.ts'

/** The app on a store of its own, with a token that may do everything. */
export async function openApp(makePlace: () => Promise<StorePlace>, options: AppOptions = {}) {
  const store = await (await makePlace()).openMigrated()
  const organizationId = (await firstOrganization(store)) ?? assert.fail('there was one already')
  const { token } = await addToken(store, organizationId, { name: 'administrator', ...unrestricted })
  const dataDirectory = await tempFolder('app')
  const context: AppContext = {
    store,
    sealer: sealer({ current: makeKey() }),
    instanceKeys: [writeKey(makeKey())],
    timeZone: 'UTC',
    dataDirectory: dataDirectory.path,
    workDirectory: join(dataDirectory.path, 'work'),
    heartbeats: new Map(),
  }
  const app = await buildApp(context, { rateLimit: 0, ...options })
  /** A request of the administrator. */
  const ask = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ) => {
    const request: InjectOptions = { method, url, headers: { authorization: `Bearer ${token}`, ...headers } }
    return app.inject(payload === undefined ? request : { ...request, payload })
  }
  return {
    app,
    context,
    store,
    organizationId,
    token,
    ask,
    people: openPeople(app, context, organizationId),
    get: (url: string, authorization?: string) =>
      app.inject({ url, headers: authorization === undefined ? {} : { authorization } }),
    async [Symbol.asyncDispose]() {
      await app.close()
      await store[Symbol.asyncDispose]()
      await dataDirectory[Symbol.asyncDispose]()
    },
  }
}
