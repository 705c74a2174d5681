import { Badge, Group, Text } from '@mantine/core'
import type { Overview } from '../../../src/shared/overview.ts'
import { msg, useT } from '../i18n/i18n.ts'

const faces = [
  { standing: 'failing', color: 'red', text: msg('{{count}} failing') },
  { standing: 'overdue', color: 'orange', text: msg('{{count}} overdue') },
  { standing: 'never', color: 'gray', text: msg('{{count}} never backed up') },
  { standing: 'protected', color: 'green', text: msg('{{count}} protected') },
] as const

/** How many databases fare how, the worst first. */
export function StandingCounts({ counts }: { counts: Overview['counts'] | undefined }) {
  const t = useT()
  const shown = faces.filter(({ standing }) => (counts?.[standing] ?? 0) > 0)
  if (shown.length === 0) {
    return (
      <Text span size="sm" c="dimmed">
        {t('not backed up by any plan')}
      </Text>
    )
  }
  return (
    <Group gap={6}>
      {shown.map(({ standing, color, text }) => (
        <Badge key={standing} color={color} variant="light" tt="none">
          {t(text, { count: counts?.[standing] })}
        </Badge>
      ))}
    </Group>
  )
}
