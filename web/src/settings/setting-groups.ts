import type { Settings } from '../../../src/shared/settings.ts'
import { msg } from '../i18n/i18n.ts'

export interface Setting {
  name: keyof Settings
  title: string
  help: string
  input: 'number' | 'time' | 'weekday' | 'time zone' | 'compression'
  /** Behind the number. */
  unit?: string
}

interface SettingGroup {
  title: string
  about: string
  settings: readonly Setting[]
}

const minutes = msg('minutes')
const days = msg('days')

/** All settings of an organization, as the page shows them. */
export const settingGroups: readonly SettingGroup[] = [
  {
    title: msg('What new plans begin with'),
    about: msg('A plan that says it itself keeps what it says.'),
    settings: [
      {
        name: 'compression',
        title: msg('Compression'),
        help: msg('How dumps are made smaller.'),
        input: 'compression',
      },
      {
        name: 'tries',
        title: msg('Tries'),
        help: msg('How often a backup is tried in all.'),
        input: 'number',
      },
      {
        name: 'backoffSeconds',
        title: msg('Pause before the second try'),
        help: msg('Doubled before each further one.'),
        input: 'number',
        unit: msg('seconds'),
      },
      {
        name: 'timeoutMinutes',
        title: msg('Longest backup'),
        help: msg('A backup that takes longer is ended.'),
        input: 'number',
        unit: minutes,
      },
      {
        name: 'stallMinutes',
        title: msg('Stall guard'),
        help: msg('A backup that moved no byte for so long is ended.'),
        input: 'number',
        unit: minutes,
      },
      {
        name: 'overdueMinutes',
        title: msg('Overdue after'),
        help: msg('When a missing backup is an alarm.'),
        input: 'number',
        unit: minutes,
      },
    ],
  },
  {
    title: msg('Times of day'),
    about: msg('What Holdfast does each day by itself, in the time zone below.'),
    settings: [
      {
        name: 'cleanUpTime',
        title: msg('Clean-up'),
        help: msg('When what retention does not keep is deleted.'),
        input: 'time',
      },
      {
        name: 'fileCheckTime',
        title: msg('Check of files'),
        help: msg('When every copy is looked for on its volume.'),
        input: 'time',
      },
      {
        name: 'contentCheckDays',
        title: msg('All contents read within'),
        help: msg('Each day a share of all copies is read whole and compared.'),
        input: 'number',
        unit: days,
      },
      {
        name: 'displayTimeZone',
        title: msg('Time zone'),
        help: msg('In which days are counted and new schedules run.'),
        input: 'time zone',
      },
    ],
  },
  {
    title: msg('How long things are remembered'),
    about: msg('Snapshots are none of them: how long they stay is what their plan says.'),
    settings: [
      {
        name: 'historyDays',
        title: msg('Jobs'),
        help: msg('How long jobs and their logs are remembered.'),
        input: 'number',
        unit: days,
      },
      {
        name: 'failedHistoryDays',
        title: msg('Failed jobs'),
        help: msg('How long those that failed are remembered.'),
        input: 'number',
        unit: days,
      },
      {
        name: 'safetyDays',
        title: msg('Safety snapshots'),
        help: msg('How long the snapshot that is made before a restore is kept.'),
        input: 'number',
        unit: days,
      },
    ],
  },
  {
    title: msg('Notices'),
    about: msg('Where notices go is said under Notifications.'),
    settings: [
      {
        name: 'noticeEvery',
        title: msg('Told again each so many times'),
        help: msg('Of what goes wrong again and again. 0: only the first time, and the recovery.'),
        input: 'number',
      },
      {
        name: 'sizeAnomalyPercent',
        title: msg('Unusual size'),
        help: msg('By how much a dump may shrink or grow before it is told. 0: never.'),
        input: 'number',
        unit: '%',
      },
      {
        name: 'digestWeekday',
        title: msg('Day of the weekly digest'),
        help: msg('Only where a rule has that event.'),
        input: 'weekday',
      },
      {
        name: 'digestTime',
        title: msg('Time of the weekly digest'),
        help: msg('In the time zone above.'),
        input: 'time',
      },
    ],
  },
  {
    title: msg('API'),
    about: msg('For programs that use API tokens.'),
    settings: [
      {
        name: 'apiRateLimit',
        title: msg('Requests per minute'),
        help: msg('Of each token. 0: no limit.'),
        input: 'number',
      },
    ],
  },
]
