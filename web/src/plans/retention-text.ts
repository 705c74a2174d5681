import { keepsEverything, type RetentionPolicy, type Tier } from '../../../src/shared/retention.ts'
import { msg, type Translate } from '../i18n/i18n.ts'
import { listText } from '../parts/list-text.ts'

const tierTexts: Record<Tier, string> = {
  hourly: msg('{{count}} hourly'),
  daily: msg('{{count}} daily'),
  weekly: msg('{{count}} weekly'),
  monthly: msg('{{count}} monthly'),
  yearly: msg('{{count}} yearly'),
}

/** The policy in words: `the newest 7, 4 weekly, 12 monthly`. */
export function policyText(policy: RetentionPolicy, t: Translate, language: string): string {
  if (keepsEverything(policy)) return t('everything')
  const { keepLast, keepDays, minimumKept } = policy
  const parts: string[] = []
  if (keepLast) parts.push(t('the newest {{count}}', { count: keepLast }))
  if (keepDays) parts.push(t('those younger than {{count}} days', { count: keepDays }))
  for (const [tier, text] of Object.entries(tierTexts) as [Tier, string][]) {
    const count = policy[tier]
    if (count) parts.push(t(text, { count }))
  }
  if (minimumKept > 1) parts.push(t('at least {{count}}', { count: minimumKept }))
  return listText(parts, language)
}
