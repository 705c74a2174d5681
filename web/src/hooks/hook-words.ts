import type { Hook, HookAround, HookFailure, HookMoment } from '../../../src/shared/hooks.ts'
import { msg } from '../i18n/i18n.ts'

export const moments: Record<HookAround, Record<HookMoment, string>> = {
  backup: {
    before: msg('Before each backup'),
    'after-success': msg('After each backup that succeeded'),
    'after-failure': msg('After each backup that failed'),
    after: msg('After each backup, however it ended'),
  },
  restore: {
    before: msg('Before each restore'),
    'after-success': msg('After each restore that succeeded'),
    'after-failure': msg('After each restore that failed'),
    after: msg('After each restore, however it ended'),
  },
}

const ofEither: Record<Exclude<HookFailure, 'fail'>, string> = {
  ignore: msg('Nothing: a line in the log'),
  warn: msg('A warning in the log'),
  skip: msg('The job is left out: cancelled, not failed'),
}

/** What follows if the hook itself fails. */
export function failureWords(
  failure: HookFailure,
  { around, moment }: Pick<Hook, 'around' | 'moment'>,
): string {
  if (failure !== 'fail') return ofEither[failure]
  if (moment === 'before') return msg('The job fails, and is tried again as its plan says')
  return around === 'backup'
    ? msg('The job has failed; the snapshot is there and good')
    : msg('The job has failed; the restore is complete')
}

/** Nothing can be left out that is over. */
export function failuresOf(moment: HookMoment): HookFailure[] {
  return moment === 'before' ? ['ignore', 'warn', 'fail', 'skip'] : ['ignore', 'warn', 'fail']
}
