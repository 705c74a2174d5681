import { ThemeIcon } from '@mantine/core'
import {
  IconBell,
  IconBellRinging,
  IconBrandDiscord,
  IconBrandSlack,
  IconBrandTeams,
  IconBrandTelegram,
  IconHeartbeat,
  IconMail,
  IconMessageCircle,
  IconSend,
  IconWebhook,
} from '@tabler/icons-react'

const icons: Record<string, typeof IconBell> = {
  email: IconMail,
  slack: IconBrandSlack,
  discord: IconBrandDiscord,
  telegram: IconBrandTelegram,
  teams: IconBrandTeams,
  pushover: IconBellRinging,
  gotify: IconMessageCircle,
  ntfy: IconSend,
  webhook: IconWebhook,
  healthcheck: IconHeartbeat,
}

/** The sign of a kind of channel. Its name stands beside it. */
export function ChannelIcon({ kind }: { kind: string }) {
  const Icon = icons[kind] ?? IconBell
  return (
    <ThemeIcon variant="light" size="lg" aria-hidden>
      <Icon size={18} />
    </ThemeIcon>
  )
}
