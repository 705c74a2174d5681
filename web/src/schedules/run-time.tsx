import { Text, Tooltip } from '@mantine/core'
import { useLanguage } from '../i18n/i18n.ts'
import { exactTime, relativeTime, useNow } from '../parts/when.tsx'

/** `Fri, Nov 27, 03:00 · in 5 hours`, in the viewer's time zone. */
export function RunTime({ at }: { at: string }) {
  const language = useLanguage()
  const now = useNow()
  return (
    <Tooltip label={exactTime(at, language)}>
      <Text span inherit>
        <time dateTime={at}>{runTimeText(at, language)}</time>
        <Text span inherit c="dimmed">
          {' · '}
          {relativeTime(Date.parse(at), now, language)}
        </Text>
      </Text>
    </Tooltip>
  )
}

function runTimeText(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, {
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(at))
}
