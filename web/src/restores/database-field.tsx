import { Autocomplete } from '@mantine/core'
import type { ReactNode } from 'react'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'

interface DatabaseFieldProps {
  serverId: string | null
  label: string
  value: string
  error: string | undefined
  onChange: (name: string) => void
}

/** A database of a server, once that is chosen. */
export function DatabaseField({ serverId, ...rest }: DatabaseFieldProps) {
  if (serverId === null) return <Autocomplete {...rest} withAsterisk disabled />
  return <DatabaseOf serverId={serverId} {...rest} />
}

/** The names that the server lists now; others may be typed. */
function DatabaseOf({ serverId, ...rest }: DatabaseFieldProps & { serverId: string }) {
  const t = useT()
  const databases = useAsk('GET /api/v1/servers/{id}/databases', { params: { id: serverId } })
  const note: ReactNode = databases.error ? t('The server does not say which databases it has.') : undefined
  return <Autocomplete {...rest} withAsterisk description={note} data={databases.data?.items ?? []} />
}
