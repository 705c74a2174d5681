import type { z } from 'zod'
import { AppError } from '../shared/errors.ts'
import type { Channel, ChannelDriver, ChannelEnvironment } from './channel.ts'
import { discord } from './discord/index.ts'
import { email } from './email/index.ts'
import { gotify } from './gotify/index.ts'
import { healthcheck } from './healthcheck/index.ts'
import { ntfy } from './ntfy/index.ts'
import { pushover } from './pushover/index.ts'
import { slack } from './slack/index.ts'
import { teams } from './teams/index.ts'
import { telegram } from './telegram/index.ts'
import { webhook } from './webhook/index.ts'

/** Every kind of channel. A new one is its folder and its name here. */
export const channels = {
  email,
  slack,
  discord,
  telegram,
  teams,
  pushover,
  gotify,
  ntfy,
  webhook,
  healthcheck,
} satisfies Record<string, ChannelDriver>

export type ChannelKind = keyof typeof channels

/** Opens a channel by its settings. Throws `invalid_input` naming the setting that is missing or wrong. */
export function openChannel(kind: ChannelKind, settings: unknown, environment: ChannelEnvironment): Channel {
  const driver: ChannelDriver = channels[kind]
  return driver.open(validate(driver, settings), environment)
}

function validate<Config extends z.ZodType>(driver: ChannelDriver<Config>, settings: unknown) {
  const parsed = driver.config.safeParse(settings)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  )
  throw new AppError(
    'invalid_input',
    `These are no valid settings of “${driver.label}”: ${issues.join('; ')}.`,
  )
}
