import { Badge, Group } from '@mantine/core'
import type { Server } from '../../../src/shared/servers.ts'
import { useT } from '../i18n/i18n.ts'

type Marked = Pick<Server, 'labels' | 'isProduction' | 'isProtected'>

export function ServerBadges({ server: { labels, isProduction, isProtected } }: { server: Marked }) {
  const t = useT()
  const all = Object.entries(labels)
  if (all.length === 0 && !isProduction && !isProtected) return null
  return (
    <Group gap={6}>
      {isProduction && (
        <Badge variant="light" color="orange" tt="none" size="sm">
          {t('production')}
        </Badge>
      )}
      {isProtected && (
        <Badge variant="light" tt="none" size="sm">
          {t('protected from restores')}
        </Badge>
      )}
      {all.map(([name, value]) => (
        <Badge key={name} variant="default" tt="none" size="sm" maw={260}>
          {value === '' ? name : `${name}: ${value}`}
        </Badge>
      ))}
    </Group>
  )
}
