import type { NotificationRule } from '../../../src/shared/notifications.ts'
import { useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'

/** Channels that rules may name: those of the organization, and those that others share. */
export function useChannels(): { id: string; name: string; kind: string }[] {
  const own = useAll('GET /api/v1/channels')
  const shared = useAsk('GET /api/v1/shared-channels')
  return [...(own.data ?? []), ...(shared.data?.items ?? [])]
}

/** The channels of a rule, in words. */
export function useChannelNames(): (channels: NotificationRule['channels']) => string {
  const t = useT()
  const known = useChannels()
  return (channels) =>
    channels === null
      ? t('All channels')
      : channels.map((id) => known.find((one) => one.id === id)?.name ?? id).join(', ')
}

/** The servers of a rule, in words. */
export function useServerNames(): (servers: NotificationRule['servers']) => string {
  const t = useT()
  const { data: known = [] } = useAll('GET /api/v1/servers')
  return (servers) => {
    if ('all' in servers) return t('All servers')
    if ('ids' in servers) {
      return servers.ids.map((id) => known.find((one) => one.id === id)?.name ?? id).join(', ')
    }
    const labels = Object.entries(servers.labels).map(([name, value]) => `${name}=${value}`)
    return t('Servers with {{labels}}', { labels: labels.join(', ') })
  }
}
