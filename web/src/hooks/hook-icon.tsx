import { ThemeIcon } from '@mantine/core'
import { IconCode, IconSql, IconTerminal2, IconWebhook } from '@tabler/icons-react'

const icons: Record<string, typeof IconCode> = { script: IconTerminal2, http: IconWebhook, sql: IconSql }

/** The sign of a kind of hook. Its name stands beside it. */
export function HookIcon({ kind }: { kind: string }) {
  const Icon = icons[kind] ?? IconCode
  return (
    <ThemeIcon variant="light" size="lg" aria-hidden>
      <Icon size={18} />
    </ThemeIcon>
  )
}
