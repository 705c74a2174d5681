import { Badge, Tooltip } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { exactTime, shortTime } from '../parts/when.tsx'

/** What keeps a snapshot from being deleted, if anything does. */
export function LockBadge({ locked }: Pick<Snapshot, 'locked'>) {
  const t = useT()
  const language = useLanguage()
  if (locked === false) return null
  const icon = <IconLock size={12} aria-hidden />
  if (locked === true) {
    return (
      <Badge variant="light" tt="none" leftSection={icon}>
        {t('locked')}
      </Badge>
    )
  }
  return (
    <Tooltip label={exactTime(locked, language)}>
      <Badge variant="light" tt="none" leftSection={icon} tabIndex={0}>
        {t('locked until {{time}}', { time: shortTime(locked, language) })}
      </Badge>
    </Tooltip>
  )
}
