import type { LookupFunction } from 'node:net'
import type { z } from 'zod'
import type { Answer, RequestOptions } from '../lib/request-guarded.ts'
import type { Smtp } from '../shared/instance-settings.ts'
import type { Severity } from '../shared/notifications.ts'

/** What is to be told. */
export interface Notice {
  /** A UUID, the same for every channel and every retry of one notice. */
  id: string
  /** `backup.failed` */
  event: string
  severity: Severity
  /** One line. */
  title: string
  /** Sentences, plain text, in one or several lines. */
  text: string
  /** Server, Database, Plan, Error, Hint, … */
  facts: readonly { label: string; value: string }[]
  /** A page about it. */
  url?: string
  /** ISO time. */
  at: string
  /** Notices of one story (the first failure, the n-th, the recovery) have the same. */
  thread?: string
  /** For programs: part of the webhook's body. */
  data: Record<string, unknown>
}

/** A way to tell people, or programs, what has happened. */
export interface Channel {
  /**
   * Tells the receiver, once, and waits for the answer. However long the notice is, and whatever is in it, it is cut to
   * what the receiver takes, pings nobody and breaks no markup.
   *
   * Throws `channel_refused` where the receiver says no, in its own words: final, except where it asks for patience,
   * which is `AskedToWait`. Throws `channel_unreachable` where it does not answer in time, or has trouble of its own:
   * worth another try, which may tell the same twice. `tls_failed` and `address_refused` as their names say, and what
   * the environment throws that it asks. Who has told some of several recipients ends with `channel_refused`, final:
   * they are not told again. When the signal aborts, its reason is thrown. No secret of the settings is in any sentence.
   */
  send(notice: Notice, signal: AbortSignal): Promise<Receipt>
}

export interface Receipt {
  /** What the receiver said, or that nothing was sent: one sentence for people, without secrets. */
  answer: string
  /**
   * Nothing was sent, since this receiver has no use for such a notice: whether a notice would arrive is as unknown as
   * before. Absent: the receiver has taken it.
   */
  isSent?: false
}

/** What a channel finds around it. */
export interface ChannelEnvironment {
  /**
   * The server that mail is handed to; undefined: none is set. Asked for only by who sends mail, when it sends: what
   * this throws concerns no other channel.
   */
  mail?: () => Promise<Smtp | undefined>
  /** Instead of the system's. */
  lookup?: LookupFunction
  /** Instead of `requestGuarded`: for a relay in front of the vendors. */
  request?: (url: string, options: RequestOptions, signal: AbortSignal) => Promise<Answer>
  /** How long one message may take, in milliseconds; half a minute unless told otherwise. */
  timeout?: number
}

/** A kind of channel: its settings, declared once as data, and how to open it. */
export interface ChannelDriver<Config extends z.ZodType = z.ZodType> {
  label: string
  /**
   * Secrets by `secret()`; URLs that are all one needs to send are secrets. `addressee: true` in the `meta` of what
   * decides to whom secrets are sent.
   */
  config: Config
  /** For a receiver that waits for the good news, and for the start: it gets all, unless somebody chooses. */
  wants?: 'all severities'
  /** Checks nothing yet: `send` says what is wrong, also if the environment has not got what it needs. */
  open(config: z.output<Config>, environment: ChannelEnvironment): Channel
}

/** Ties a driver's schema to the type of its settings. */
export function defineChannel<Config extends z.ZodType>(
  driver: ChannelDriver<Config>,
): ChannelDriver<Config> {
  return driver
}
