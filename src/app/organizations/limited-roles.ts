import { isWithin, serverLimit, type ServerLimit } from '../../shared/roles.ts'

export interface LimitedServer {
  id: string
  name: string
  labels: Readonly<Record<string, string>>
}

/**
 * What a role must be limited to after a merge, to reach the same servers as before: the same if that does it, else
 * without the patterns that would fit others, and with the names of those that would be lost. Undefined if there is no
 * such limit.
 */
export function keptLimit(
  limit: ServerLimit,
  own: readonly LimitedServer[],
  merged: readonly LimitedServer[],
): ServerLimit | undefined {
  const before = new Set(own.filter((server) => isWithin(limit, server)).map(({ id }) => id))
  const reached = (within: ServerLimit) => merged.filter((server) => isWithin(within, server))
  const isSame = (after: readonly LimitedServer[]) =>
    after.length === before.size && after.every(({ id }) => before.has(id))
  if (isSame(reached(limit))) return limit
  const kept = (limit.names ?? []).filter((pattern) =>
    reached({ ...limit, names: [pattern] }).every(({ id }) => before.has(id)),
  )
  const lost = merged.filter(
    (server) => before.has(server.id) && !isWithin({ names: kept }, { ...server, labels: {} }),
  )
  const changed = serverLimit.safeParse({ ...limit, names: [...kept, ...lost.map(({ name }) => name)] })
  return changed.success && isSame(reached(changed.data)) ? changed.data : undefined
}

/** The names of the servers that the limit would reach only after the merge, or only before it. */
export function differing(
  limit: ServerLimit,
  own: readonly LimitedServer[],
  merged: readonly LimitedServer[],
): string[] {
  const before = own.filter((server) => isWithin(limit, server))
  const after = merged.filter((server) => isWithin(limit, server))
  const isIn = (list: readonly LimitedServer[], { id }: LimitedServer) => list.some((one) => one.id === id)
  return [
    ...after.filter((server) => !isIn(before, server)),
    ...before.filter((server) => !isIn(after, server)),
  ].map(({ name }) => name)
}
