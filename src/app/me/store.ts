import type { Store } from '../../store/database.ts'

export interface SessionRow {
  id: string
  method: string | null
  ipAddress: string | null
  userAgent: string | null
  createdAt: number
  updatedAt: number
  expiresAt: number
}

/** Those that have not expired; the one that was used last comes first. */
export async function listSessions({ db, now }: Store, userId: string): Promise<SessionRow[]> {
  return await db
    .selectFrom('sessions')
    .select(['id', 'method', 'ipAddress', 'userAgent', 'createdAt', 'updatedAt', 'expiresAt'])
    .where('userId', '=', userId)
    .where('expiresAt', '>', now)
    .orderBy('updatedAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

export async function roleOf(
  { db }: Store,
  userId: string,
  organizationId: string,
): Promise<{ id: string; name: string } | undefined> {
  return await db
    .selectFrom('memberships')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .select(['roles.id', 'roles.name'])
    .where('memberships.userId', '=', userId)
    .where('memberships.organizationId', '=', organizationId)
    .executeTakeFirst()
}
