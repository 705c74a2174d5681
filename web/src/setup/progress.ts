import { useAll, useAsk } from '../api.ts'

/**
 * How far somebody has come on the way to a snapshot that is proven: told by what there is, so that it does not matter by
 * which page, and whether in one go.
 */
export function useSetupProgress() {
  const servers = useAll('GET /api/v1/servers')
  const plans = useAll('GET /api/v1/plans')
  const volumes = useAll('GET /api/v1/volumes')
  const snapshots = useAsk('GET /api/v1/snapshots', { query: { limit: 1 } })
  const restores = useAsk('GET /api/v1/restores', { query: { state: 'succeeded', limit: 1 } })
  if (!servers.data || !plans.data || !volumes.data || !snapshots.data || !restores.data) return undefined
  const [snapshot] = snapshots.data.items
  const [restore] = restores.data.items
  return {
    server: servers.data[0],
    plan: plans.data[0],
    volume: volumes.data.find(({ isReadOnly }) => !isReadOnly),
    snapshot,
    restore,
    isComplete: snapshot !== undefined && restore !== undefined,
  }
}
