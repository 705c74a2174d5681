import type { Ability } from '../../shared/abilities.ts'
import type { ServerLimit } from '../../shared/roles.ts'
import type { StorePlace } from '../../store/test-bed.ts'
import type { AppOptions } from '../app.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import { openApp } from '../test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'

interface PersonOptions {
  /** A built-in one by its slug, or an id; null: a member of nothing. */
  role?: string | null
  organizationId?: string
  isInstanceAdministrator?: boolean
  /** Of their token; null: all that they may. */
  scopes?: readonly Ability[] | null
}

/** The app with people, each of whom has a token. */
export async function openTeam(makePlace: () => Promise<StorePlace>, options: AppOptions = {}) {
  const app = await openApp(makePlace, options)
  const { store } = app
  const roleId = (role: string, organizationId = app.organizationId) =>
    ['viewer', 'operator', 'member', 'admin'].includes(role) ? builtInRoleId(organizationId, role) : role
  /** Somebody, and what they ask by their token. */
  const person = async (
    name: string,
    {
      role = 'admin',
      organizationId = app.organizationId,
      isInstanceAdministrator = false,
      scopes = null,
    }: PersonOptions = {},
  ) => {
    const email = `${name}@example.com`
    await store.db
      .insertInto('users')
      .values({
        id: name,
        name,
        email,
        emailVerified: 1,
        isInstanceAdministrator: Number(isInstanceAdministrator),
        createdAt: store.now,
        updatedAt: store.now,
      })
      .execute()
    if (role !== null) {
      await store.db
        .insertInto('memberships')
        .values({
          organizationId,
          userId: name,
          roleId: roleId(role, organizationId),
          createdAt: store.now,
        })
        .execute()
    }
    const order = { ...unrestricted, name: `${name}’s`, ownerId: name, isInstanceAdministrator, scopes }
    const { token, id: tokenId } = await addToken(store, organizationId, order)
    const ask: typeof app.ask = (method, url, payload, headers) =>
      app.ask(method, url, payload, { authorization: `Bearer ${token}`, ...headers })
    return { id: name, email, token, tokenId, ask }
  }
  /** Adds a role, as the administrator; returns its id. */
  const addRole = async (
    name: string,
    abilities: readonly Ability[],
    servers: ServerLimit | null = null,
  ): Promise<string> => {
    const added = await app.ask('POST', '/api/v1/roles', { name, abilities, servers })
    if (added.statusCode !== 201) throw new Error(added.body)
    return added.json().id
  }
  /** Adds an organization, as the administrator; returns its id. */
  const addOrganization = async (name: string): Promise<string> => {
    const added = await app.ask('POST', '/api/v1/organizations', { name })
    if (added.statusCode !== 201) throw new Error(added.body)
    return added.json().id
  }
  return { ...app, roleId, person, addRole, addOrganization }
}
