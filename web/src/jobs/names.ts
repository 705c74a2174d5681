import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'

/** What servers, plans and volumes are called: jobs and copies only know their ids. */
export function useNames() {
  const t = useT()
  const servers = useAll('GET /api/v1/servers')
  const plans = useAll('GET /api/v1/plans')
  const volumes = useAll('GET /api/v1/volumes')
  const nameIn = (things: { data: { id: string; name: string }[] | undefined }, id: string) => {
    const name = things.data?.find((one) => one.id === id)?.name
    return name ?? (things.data ? t('(gone)') : '…')
  }
  return {
    servers: servers.data ?? [],
    plans: plans.data ?? [],
    volumes: volumes.data ?? [],
    server: (id: string) => nameIn(servers, id),
    plan: (id: string) => nameIn(plans, id),
    volume: (id: string) => nameIn(volumes, id),
  }
}

export type Names = ReturnType<typeof useNames>
