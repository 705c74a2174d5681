import { Stack, Text } from '@mantine/core'
import type { AuditActor } from '../../../src/shared/audit.ts'
import { msg, useT } from '../i18n/i18n.ts'

const kinds: Record<AuditActor['kind'], string> = {
  user: msg('user'),
  token: msg('API token'),
  'command-line': msg('command line'),
  system: msg('Holdfast itself'),
}

interface ActorProps {
  actor: AuditActor
  address: string | null
}

export function Actor({ actor: { kind, name, owner }, address }: ActorProps) {
  const t = useT()
  const what = owner ? t('{{kind}} of {{name}}', { kind: t(kinds[kind]), name: owner.name }) : t(kinds[kind])
  return (
    <Stack gap={0}>
      <Text span size="sm">
        {name}
      </Text>
      <Text span size="xs" c="dimmed">
        {address === null ? what : `${what} · ${address}`}
      </Text>
    </Stack>
  )
}
