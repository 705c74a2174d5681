import type { Translate } from '../i18n/i18n.ts'
import { msg } from '../i18n/i18n.ts'

const words: Readonly<Record<string, string>> = {
  connecting: msg('Connecting'),
  dumping: msg('Dumping'),
  checking: msg('Checking'),
  downloading: msg('Downloading'),
  restoring: msg('Restoring'),
  counting: msg('Counting rows'),
  masking: msg('Running SQL'),
  replacing: msg('Putting it in place'),
  copying: msg('Copying'),
  hooks: msg('Running hooks'),
}

/** What a phase is about where a kind of job means something of its own by it. */
const ownWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  restore: { dumping: msg('Taking the safety snapshot') },
}

export function phaseText(t: Translate, phase: string, kind = ''): string {
  return t(ownWords[kind]?.[phase] ?? words[phase] ?? phase)
}

/** The phases of a job that goes well, in their order. */
const usual: Readonly<Record<string, readonly string[]>> = {
  backup: ['connecting', 'dumping', 'checking'],
  restore: ['connecting', 'restoring', 'counting'],
  verify: ['downloading', 'checking'],
}

export interface Stage {
  phase: string
  state: 'done' | 'now' | 'next'
}

/** Where a running job is: what usually comes before its phase lies behind it, what comes after it is to come. */
export function stagesOf(kind: string, phase: string): Stage[] {
  const phases = usual[kind] ?? []
  const at = phases.indexOf(phase)
  // What comes at no fixed place, like hooks, tells nothing of the others.
  if (at === -1) return [{ phase, state: 'now' }]
  return phases.map((phase, index) => ({ phase, state: index < at ? 'done' : index === at ? 'now' : 'next' }))
}
