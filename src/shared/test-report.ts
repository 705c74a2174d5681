import { z } from 'zod'
import { formatBytes } from './units.ts'
import { english, listOf, type Speech } from './words.ts'

/** What the tests of servers, volumes, channels, identity providers and restores look at. English is the code. */
export const testStepNames = [
  'reach and sign in',
  'encrypted',
  'version',
  'databases',
  'size',
  'privileges',
  'tools',
  'free space',
  'list',
  'write',
  'read',
  'read a range',
  'keep what is there',
  'keep the old when the new fails',
  'remove',
  'clean up',
  'examine',
  'clock',
  'upload in parts',
  'object lock',
  'send a message',
  'read its configuration',
  'issuer',
  'keys',
  'scopes',
  'PKCE',
  'mappings',
  'redirect URL',
  'copy',
  'engine',
  'target',
] as const
export type TestStepName = (typeof testStepNames)[number]

/** The first of several names, and how many more there are. */
const named = z.object({ names: z.array(z.string()), others: z.int() })
export type Named = z.output<typeof named>

/** What a step has found, where that is one of few things. What a driver or a tool says is text. */
export const testFinding = z
  .discriminatedUnion('what', [
    z.object({ what: z.literal('signedInAs'), user: z.string() }),
    z.object({ what: z.literal('unencrypted') }),
    z.object({ what: z.literal('sizeUnknown') }),
    z.object({ what: z.literal('space'), freeBytes: z.number(), totalBytes: z.number() }),
    z.object({ what: z.literal('spaceUnknown') }),
    z.object({ what: z.literal('readOnly') }),
    z.object({ what: z.literal('clocksApart'), seconds: z.int() }),
    z.object({ what: z.literal('clockAhead'), seconds: z.int() }),
    z.object({ what: z.literal('clockBehind'), seconds: z.int() }),
    z.object({ what: z.literal('clockUnknown') }),
    z.object({ what: z.literal('noObjectLock') }),
    z.object({ what: z.literal('copy'), bytes: z.number(), location: z.string(), keyFits: z.boolean() }),
    z.object({ what: z.literal('theServerItself') }),
    z.object({ what: z.literal('databaseIsThere'), database: z.string() }),
    z.object({ what: z.literal('databaseWillBeMade'), database: z.string() }),
    z.object({ what: z.literal('privilegesSuffice') }),
    z.object({
      what: z.literal('privileges'),
      lacking: z
        .array(z.object({ databases: named, words: z.string() }))
        .meta({ description: 'What is alike once; text' }),
      elsewhere: named.meta({ description: 'Databases that lack something else' }),
      unseen: named.meta({ description: 'There was no time to look at them' }),
      gone: named.meta({ description: 'Not there any more since the databases were listed' }),
      good: named,
    }),
    z.object({ what: z.literal('issuer'), issuer: z.string() }),
    z.object({ what: z.literal('issuerDiffers'), issuer: z.string(), expected: z.string() }),
    z.object({ what: z.literal('signingKeys'), count: z.int() }),
    z.object({ what: z.literal('noSigningKeys') }),
    z.object({ what: z.literal('scopesMissing'), scopes: z.array(z.string()) }),
    z.object({ what: z.literal('pkceUnsaid') }),
    z.object({ what: z.literal('pkceRefused') }),
    z.object({ what: z.literal('redirect'), url: z.string(), isSettled: z.boolean() }),
    z.object({ what: z.literal('noClaim') }),
  ])
  .meta({ id: 'TestFinding' })
export type TestFinding = z.output<typeof testFinding>

/** One line of the report that a test of a connection or a volume gives. */
export const testStep = z
  .object({
    step: z.enum(testStepNames),
    of: z
      .string()
      .optional()
      .meta({ description: 'The database that it is about, if that is one of several' }),
    outcome: z.enum(['ok', 'warning', 'failed', 'skipped']),
    detail: z.string().optional().meta({ description: 'What was found, or went wrong, and what helps' }),
    finding: testFinding.optional().meta({ description: 'What the detail is made from, if it is not text' }),
    statements: z
      .string()
      .optional()
      .meta({ description: 'What an administrator runs to mend it, all of it in one piece' }),
    milliseconds: z.number().optional(),
  })
  .meta({ id: 'TestStep' })

export type TestStep = z.output<typeof testStep>

export const testReport = z
  .object({ passed: z.boolean(), steps: z.array(testStep) })
  .meta({ id: 'TestReport' })

export type TestReport = z.output<typeof testReport>

/** `size of shop` */
export function describeStep({ step, of }: Pick<TestStep, 'step' | 'of'>, { t }: Speech = english): string {
  return of === undefined ? t(step) : t('{{step}} of {{database}}', { step: t(step), database: of })
}

/** Of a step: the finding, and its words. */
export function found(finding: TestFinding): Pick<TestStep, 'finding' | 'detail'> {
  return { finding, detail: describeFinding(finding) }
}

export function describeFinding(finding: TestFinding, speech: Speech = english): string {
  const { t, language } = speech
  switch (finding.what) {
    case 'signedInAs':
      return t('as {{user}}', { user: finding.user })
    case 'unencrypted':
      return t('no: passwords and data cross the network in the clear')
    case 'sizeUnknown':
      return t('unknown')
    case 'space':
      return t('{{free}} free of {{total}}', {
        free: formatBytes(finding.freeBytes, language),
        total: formatBytes(finding.totalBytes, language),
      })
    case 'spaceUnknown':
      return t('The server does not tell.')
    case 'readOnly':
      return t('The volume is read only.')
    case 'clocksApart':
      return t('{{seconds}} s apart', { seconds: finding.seconds })
    case 'clockAhead':
      return t(
        'This machine’s clock is {{seconds}} s ahead of the storage’s. Requests are signed with the storage’s time, but schedules and object locks go by this machine’s: set its clock.',
        { seconds: finding.seconds },
      )
    case 'clockBehind':
      return t(
        'This machine’s clock is {{seconds}} s behind the storage’s. Requests are signed with the storage’s time, but schedules and object locks go by this machine’s: set its clock.',
        { seconds: finding.seconds },
      )
    case 'clockUnknown':
      return t('The storage does not tell its time.')
    case 'noObjectLock':
      return t('The bucket was not made with object lock, so that nothing in it can be locked.')
    case 'copy': {
      const values = { size: formatBytes(finding.bytes, language), location: finding.location }
      return finding.keyFits
        ? t('{{size}} on {{location}}, and the key fits', values)
        : t('{{size}} on {{location}}', values)
    }
    case 'theServerItself':
      return t('the server itself')
    case 'databaseIsThere':
      return t('“{{database}}” is there', { database: finding.database })
    case 'databaseWillBeMade':
      return t('“{{database}}” will be made', { database: finding.database })
    case 'privilegesSuffice':
      return t('enough')
    case 'privileges':
      return describePrivileges(finding, speech)
    case 'issuer':
      return t('The issuer is {{issuer}}', { issuer: finding.issuer })
    case 'issuerDiffers':
      return t('It calls itself {{issuer}}, and is asked at {{expected}}: is it the one that you mean?', {
        issuer: finding.issuer,
        expected: finding.expected,
      })
    case 'signingKeys':
      return t('{{number}} that ID tokens are signed with', { number: finding.count })
    case 'noSigningKeys':
      return t('It has none: no ID token could be verified.')
    case 'scopesMissing':
      return t('It does not name {{scopes}}.', { scopes: listOf(finding.scopes, speech) })
    case 'pkceUnsaid':
      return t('It does not say; S256 is sent')
    case 'pkceRefused':
      return t('It does not take S256.')
    case 'redirect':
      return finding.isSettled
        ? t('Register exactly this with the provider: {{url}}', { url: finding.url })
        : t(
            'Register exactly this with the provider: {{url}}. It is as you reach the app now; set APP_URL, so that it is the same for all',
            { url: finding.url },
          )
    case 'noClaim':
      return t('There are mappings, or rules that are strict, but no claim: no mapping fits anybody.')
    default: {
      const never: never = finding
      return never
    }
  }
}

function describePrivileges(
  { lacking, elsewhere, unseen, gone, good }: Extract<TestFinding, { what: 'privileges' }>,
  speech: Speech,
): string {
  const { t } = speech
  const namesOf = (databases: Named) => describeNames(databases, speech)
  const lines = lacking.map(({ databases, words }) => `${namesOf(databases)}: ${words}`)
  if (elsewhere.names.length > 0) {
    lines.push(t('and something else in {{databases}}', { databases: namesOf(elsewhere) }))
  }
  if (unseen.names.length > 0) {
    const databases = namesOf(unseen)
    lines.push(t('not looked at, because the time of the test was over: {{databases}}', { databases }))
  }
  if (gone.names.length > 0) {
    const databases = namesOf(gone)
    lines.push(t('{{databases}}: not there any more since the databases were listed', { databases }))
  }
  const number = good.names.length + good.others
  if (number === 1) lines.push(t('enough to back up {{database}}', { database: namesOf(good) }))
  if (number > 1) {
    const databases = namesOf(good)
    lines.push(t('enough to back up {{number}} databases: {{databases}}', { number, databases }))
  }
  return lines.join('\n')
}

/** `a, b and 3 more` */
export function describeNames({ names, others }: Named, { t }: Speech = english): string {
  const list = names.join(', ')
  return others > 0 ? t('{{names}} and {{number}} more', { names: list, number: others }) : list
}
