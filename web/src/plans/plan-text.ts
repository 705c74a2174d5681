import type { DatabaseChoice, PlanEncryption } from '../../../src/shared/plans.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import type { Translate } from '../i18n/i18n.ts'
import { shortName } from '../parts/database-name.tsx'

const NAMED = 3

/** Which databases, in words. */
export function choiceText(choice: DatabaseChoice, t: Translate, language: string): string {
  if (choice.mode === 'all') return t('all databases')
  if (choice.mode === 'pattern') return t('those like {{pattern}}', { pattern: choice.include })
  const names = choice.names.map(shortName)
  const list = new Intl.ListFormat(language, { type: 'conjunction' })
  if (names.length <= NAMED) return list.format(names)
  return list.format([...names.slice(0, NAMED), t('{{count}} more', { count: names.length - NAMED })])
}

/** What its snapshots are encrypted with, in words. */
export function encryptionText(
  encryption: PlanEncryption,
  keys: readonly { id: string; name: string }[],
  t: Translate,
): string {
  if (encryption.method === 'none') return t('none')
  const { method, keyId } = encryption
  const key =
    keys.find(({ id }) => id === keyId)?.name ??
    (keyId === 'instance' ? t('the key of this installation') : keyId)
  return t('{{method}} with {{key}}', { method, key })
}

/** When the plan runs next by itself, the soonest first. */
export function nextRunsOf(
  plan: { isEnabled: boolean; schedules: readonly string[] },
  schedules: readonly NamedSchedule[],
): { at: string; schedule: NamedSchedule }[] {
  if (!plan.isEnabled) return []
  return schedules
    .filter(({ id }) => plan.schedules.includes(id))
    .flatMap((schedule) => schedule.nextRuns.map((at) => ({ at, schedule })))
    .sort((a, b) => a.at.localeCompare(b.at))
}
