import type { z } from 'zod'
import type { Engine } from '../../engines/engine.ts'
import type { HookAround, HookFacts, HookMoment } from '../../shared/hooks.ts'
import type { JobContext } from '../job.ts'

/** What a hook gets to know, and can reach. */
export interface HookOccasion {
  around: HookAround
  moment: HookMoment
  facts: HookFacts
  /** The server and the database of the job; absent if there is none: what was restored is the server itself. */
  target?: (() => { engine: Engine; connection: unknown; database: string }) | undefined
}

/** A kind of hook: its settings, declared once as data, and how it is run. */
export interface HookKind<Config extends z.ZodType = z.ZodType> {
  label: string
  /** Secrets by `secret()`, and `addressee: true` in the `meta` of what decides to whom they are sent. */
  config: Config
  /**
   * Does it, once. Throws if it has not succeeded, in a sentence that can stand behind “The hook has failed:”, or the
   * signal's reason. No secret of the settings is in any sentence.
   */
  run(settings: z.output<Config>, occasion: NamedOccasion, job: JobContext): Promise<void>
}

/** As the kinds see it. */
export interface NamedOccasion extends Omit<HookOccasion, 'facts'> {
  /** Of the hook. */
  name: string
  /** All that there are. */
  facts: Record<string, string>
}

/** Ties a kind's schema to the type of its settings. */
export function defineHook<Config extends z.ZodType>(kind: HookKind<Config>): HookKind<Config> {
  return kind
}
