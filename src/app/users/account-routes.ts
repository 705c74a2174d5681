import { z } from 'zod'
import {
  account,
  type Account,
  accountChanges,
  accountLosses,
  createdAccount,
  endedSessions,
  newAccount,
} from '../../shared/users.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { signedIn } from '../identity/callers.ts'
import { originOf } from '../invitations/links.ts'
import { presentInvited } from '../invitations/present.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import {
  accountOf,
  addAccount,
  changeAccount,
  lossesOfAccount,
  removeAccount,
  removeSecondFactor,
  signOutAccount,
} from './accounts.ts'
import { type AccountRow, listAccounts, type MembershipRow, membershipsOf } from './store.ts'

const tags = ['accounts']
const params = z.object({ id: z.string() })

export function accountRoutes(context: AppContext): AppRoutes {
  const show = async (row: AccountRow) => present(row, await membershipsOf(context.store.db, [row.id]))
  return async (app) => {
    app.get(
      '/api/v1/accounts',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'Everybody who can sign in, by name',
          querystring: pageQuery,
          response: { 200: pageOf(account) },
        },
      },
      async ({ query: { limit, cursor } }) => {
        const rows = await listAccounts(context.store, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        const ids = items.map(({ id }) => id)
        const memberships = Map.groupBy(await membershipsOf(context.store.db, ids), ({ userId }) => userId)
        return { items: items.map((row) => present(row, memberships.get(row.id) ?? [])), nextCursor }
      },
    )
    app.post(
      '/api/v1/accounts',
      {
        config: { requires: 'administer-instance', audit: 'account.add' },
        schema: {
          tags,
          summary: 'Make an account with a password, or an invitation to make one',
          body: newAccount,
          response: { 201: createdAccount },
        },
      },
      async (request, reply) => {
        const caller = signedIn(request.caller)
        const { account, invited } = await addAccount(
          context,
          caller,
          request.body,
          originOf(context, request),
        )
        return await reply
          .code(201)
          .headers({
            'cache-control': 'no-store',
            ...(account && { location: `/api/v1/accounts/${account.id}` }),
          })
          .send({
            account: account ? await show(account) : null,
            invitation: invited ? presentInvited(invited) : null,
          })
      },
    )
    app.get(
      '/api/v1/accounts/:id',
      {
        config: { requires: 'administer-instance' },
        schema: { tags, summary: 'One account', params, response: { 200: account } },
      },
      async ({ params: { id } }) => await show(await accountOf(context, id)),
    )
    app.patch(
      '/api/v1/accounts/:id',
      {
        config: { requires: 'administer-instance', audit: 'account.change' },
        schema: {
          tags,
          summary: 'Change an account: name, e-mail, whether it may sign in and administers the instance',
          params,
          body: accountChanges,
          response: { 200: account },
        },
      },
      async ({ params: { id }, body, caller }) =>
        await show(await changeAccount(context, signedIn(caller), id, body)),
    )
    app.get(
      '/api/v1/accounts/:id/losses',
      {
        config: { requires: 'administer-instance' },
        schema: { tags, summary: 'What would go with an account', params, response: { 200: accountLosses } },
      },
      async ({ params: { id } }) => await lossesOfAccount(context, id),
    )
    app.delete(
      '/api/v1/accounts/:id',
      {
        config: { requires: 'administer-instance', audit: 'account.delete' },
        schema: {
          tags,
          summary: 'Delete an account, with its memberships and tokens; says what went with it',
          params,
          response: { 200: accountLosses },
        },
      },
      async ({ params: { id }, caller }) => await removeAccount(context, signedIn(caller), id),
    )
    app.post(
      '/api/v1/accounts/:id/sign-out',
      {
        config: { requires: 'administer-instance', audit: 'account.sign-out' },
        schema: { tags, summary: 'End all its sessions', params, response: { 200: endedSessions } },
      },
      async ({ params: { id }, caller }) => ({
        sessions: await signOutAccount(context, signedIn(caller), id),
      }),
    )
    app.delete(
      '/api/v1/accounts/:id/second-factor',
      {
        config: { requires: 'administer-instance', audit: 'account.remove-second-factor' },
        schema: {
          tags,
          summary: 'Take away the second factor of somebody who has lost it',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, caller }, reply) => {
        await removeSecondFactor(context, signedIn(caller), id)
        return await reply.code(204).send(null)
      },
    )
  }
}

function present(row: AccountRow, memberships: readonly MembershipRow[]): Account {
  const { id, name, email, passkeys, sessions, lastSignInAt } = row
  return {
    id,
    name,
    email,
    isInstanceAdministrator: row.isInstanceAdministrator === 1,
    isDisabled: row.isDisabled === 1,
    hasPassword: row.passwords > 0,
    hasSecondFactor: row.twoFactorEnabled === 1,
    passkeys,
    sessions,
    organizations: memberships.map(({ organizationId, organizationName, roleId, roleName }) => ({
      id: organizationId,
      name: organizationName,
      role: { id: roleId, name: roleName },
    })),
    lastSignInAt: lastSignInAt === null ? null : new Date(lastSignInAt).toISOString(),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}
