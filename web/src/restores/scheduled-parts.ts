import type { ScheduledDraft } from './scheduled-draft.ts'

/** What each part of the form works with. */
export interface PartProps {
  draft: ScheduledDraft
  change: (changes: Partial<ScheduledDraft>) => void
  errors: Record<string, string>
}

export interface ServersProps extends PartProps {
  servers: readonly { id: string; name: string; engine: string; isProtected: boolean }[]
}
