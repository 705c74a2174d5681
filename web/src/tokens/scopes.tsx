import { Anchor, Badge, List, Popover } from '@mantine/core'
import { type Ability, abilities } from '../../../src/shared/abilities.ts'
import { useT } from '../i18n/i18n.ts'

interface ScopesProps {
  scopes: readonly Ability[] | null
  hasOwner: boolean
}

/** What a token may, in a word; all of it by a click. */
export function Scopes({ scopes, hasOwner }: ScopesProps) {
  const t = useT()
  if (scopes === null) return hasOwner ? t('all that its owner may') : t('everything')
  if (scopes.length === 1 && scopes[0] === 'view') {
    return (
      <Badge variant="light" color="gray" tt="none">
        {t('only read')}
      </Badge>
    )
  }
  return (
    <Popover withArrow width={320} position="bottom-start">
      <Popover.Target>
        <Anchor component="button" type="button" size="sm">
          {t('{{count}} abilities', { count: scopes.length })}
        </Anchor>
      </Popover.Target>
      <Popover.Dropdown>
        <List size="sm" spacing={4}>
          {scopes.map((name) => (
            <List.Item key={name}>{t(abilities[name].title)}</List.Item>
          ))}
        </List>
      </Popover.Dropdown>
    </Popover>
  )
}
