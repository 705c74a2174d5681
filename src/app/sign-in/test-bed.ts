import assert from 'node:assert/strict'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { AppContext } from '../context.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import { hashPassword } from './passwords.ts'
import { insertMembership } from './store.ts'
import { addUser } from './users.ts'

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Somebody at a browser. */
export interface Browser {
  /** What a page of the app sends (a header that is undefined is left out): with the cookies that came before, and from where it comes. */
  request: (
    method: Method,
    url: string,
    payload?: object,
    headers?: Record<string, string | undefined>,
  ) => Promise<LightMyRequestResponse>
  /** What it keeps, by name. */
  cookies: Map<string, string>
}

export interface Person extends Browser {
  id: string
  name: string
  email: string
  password: string
  /** Another browser of the same person, who has not signed in there. */
  otherBrowser: () => Browser
  /** Signs in once more, in another browser. */
  signInAgain: () => Promise<Browser>
}

export interface PersonOptions {
  name?: string
  email?: string
  /** One of `builtInRoles`; admin if absent. Null: a member of nothing. */
  role?: 'viewer' | 'operator' | 'member' | 'admin' | null
  organizationId?: string
  isInstanceAdministrator?: boolean
}

/** Good enough for every rule. */
export const PASSWORD = 'Nacre-tiled 7 harbours'
/** One hash for all: making each would take its time. */
let hash: Promise<string> | undefined

/** A browser of nobody, which keeps what cookies it is told to. */
function openBrowser(app: FastifyInstance, address = '127.0.0.1'): Browser {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async request(method, url, payload, headers = {}) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const all = {
        'sec-fetch-site': 'same-origin',
        'user-agent': 'Browser of a test',
        ...(cookie !== '' && { cookie }),
        ...headers,
      }
      const given = Object.entries(all).filter(([, value]) => value !== undefined)
      const options: InjectOptions = {
        method,
        url,
        remoteAddress: address,
        headers: Object.fromEntries(given),
      }
      const answer = await app.inject(payload === undefined ? options : { ...options, payload })
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '' || /; *max-age=0(;|$)/i.test(line)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return answer
    },
  }
}

/** People of the app under test. */
export function openPeople(app: FastifyInstance, context: AppContext, ownOrganization: string) {
  let count = 0
  const signIn = async (email: string): Promise<Browser> => {
    const browser = openBrowser(app)
    const answer = await browser.request('POST', '/api/v1/sign-in', { email, password: PASSWORD })
    assert.equal(answer.statusCode, 200, answer.body)
    return browser
  }
  return {
    /** Adds somebody, who has signed in with a password. */
    async add(options: PersonOptions = {}): Promise<Person> {
      const {
        name = `Person ${++count}`,
        role = 'admin',
        organizationId = ownOrganization,
        isInstanceAdministrator = false,
      } = options
      const email = options.email ?? `${name.toLowerCase().replaceAll(' ', '.')}@example.com`
      const { store } = context
      const passwordHash = await (hash ??= hashPassword(PASSWORD))
      const id = await store.db.transaction().execute(async (trx) => {
        const user = { name, email, passwordHash, isInstanceAdministrator, isEmailVerified: true }
        const userId = await addUser(store, trx, user)
        if (role !== null) {
          const roleId = builtInRoleId(organizationId, role)
          await insertMembership(store, trx, { organizationId, userId, roleId })
        }
        return userId
      })
      return {
        id,
        name,
        email,
        password: PASSWORD,
        ...(await signIn(email)),
        otherBrowser: () => openBrowser(app),
        signInAgain: () => signIn(email),
      }
    },
    /** A browser of nobody. */
    browser: (address?: string) => openBrowser(app, address),
  }
}
