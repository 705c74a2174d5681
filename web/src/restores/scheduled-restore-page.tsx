import { Alert, Anchor, Code, Stack, Text } from '@mantine/core'
import { IconPlayerSkipForward } from '@tabler/icons-react'
import type { Restore } from '../../../src/shared/restores.ts'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import { describeSkip, type ScheduledRestore } from '../../../src/shared/scheduled-restores.ts'
import { useAsk, useListed } from '../api.ts'
import { useParams } from '../filters.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { Asked } from '../parts/asked.tsx'
import { Facts } from '../parts/facts.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { Section } from '../parts/section.tsx'
import { exactTime } from '../parts/when.tsx'
import { restoreModes } from './restore-modes.ts'
import { RestoreTable } from './restore-table.tsx'
import { ScheduledActions } from './scheduled-actions.tsx'
import { NextRun, useNextRun } from './scheduled-words.tsx'

export function ScheduledRestorePage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const scheduled = useAsk('GET /api/v1/scheduled-restores/{id}', { params: { id } })
  return (
    <Page
      title={scheduled.data?.name ?? t('Scheduled restore')}
      above={[
        { title: t('Restores'), to: '/restores' },
        { title: t('Scheduled'), to: '/restores/scheduled' },
      ]}
      actions={scheduled.data && <ScheduledActions key={id} scheduled={scheduled.data} />}
    >
      <Asked question={scheduled} lines={8}>
        {(found) => <Shown scheduled={found} />}
      </Asked>
    </Page>
  )
}

function Shown({ scheduled }: { scheduled: ScheduledRestore }) {
  const t = useT()
  const language = useLanguage()
  const names = useNames()
  const { schedule } = useNextRun(scheduled)
  const { sourceServerId, sourceDatabase, targetServerId, targetDatabase, planId, mode, options, runAfter } =
    scheduled
  const { lastSkippedAt, lastSkip, safetySnapshot, endSessions } = scheduled
  const place = (serverId: string, database: string) => (
    <Stack gap={0}>
      <span>{database}</span>
      <Anchor component={LinkTo} to={`/servers/${serverId}`} size="sm">
        {names.server(serverId)}
      </Anchor>
    </Stack>
  )
  return (
    <Stack gap="lg">
      {lastSkip !== null && lastSkippedAt !== null && (
        <Alert
          color="orange"
          variant="light"
          icon={<IconPlayerSkipForward aria-hidden />}
          title={t('Skipped at {{time}}', { time: exactTime(lastSkippedAt, language) })}
        >
          {describeSkip(lastSkip, undefined, { t, language })}
        </Alert>
      )}
      <Section title={t('Settings')}>
        <Facts
          facts={[
            [t('Next run'), <NextRun key="next" scheduled={scheduled} />],
            [
              t('Schedule'),
              schedule
                ? t('{{name}}: {{rule}}', {
                    name: schedule.name,
                    rule: describeSchedule(schedule.meaning, { t, language }),
                  })
                : t('by hand only'),
            ],
            [t('From'), place(sourceServerId, sourceDatabase)],
            [t('Plan'), planId === null ? undefined : names.plan(planId)],
            [t('Into'), place(targetServerId, targetDatabase)],
            [t('Mode'), t(restoreModes[mode].title)],
            [t('Not older than'), t('{{count}} hours', { count: scheduled.newestWithinHours })],
            [t('Safety snapshot'), mode !== 'replace' ? undefined : safetySnapshot ? t('yes') : t('no')],
            [t('Sessions'), endSessions ? t('those of others are ended') : undefined],
            [
              t('Restored before'),
              scheduled.skipUnchanged ? t('is not restored again') : t('is restored again all the same'),
            ],
            [
              t('Options'),
              Object.keys(options).length === 0 ? undefined : (
                <Code key="options" block>
                  {JSON.stringify(options, null, 2)}
                </Code>
              ),
            ],
            [
              t('SQL that runs after'),
              runAfter === null ? undefined : (
                <Code key="sql" block>
                  {runAfter}
                </Code>
              ),
            ],
          ]}
        />
      </Section>
      <History scheduled={scheduled} />
    </Stack>
  )
}

/** Of the restores into its target those that it has ordered. */
function History({ scheduled: { id, targetServerId, targetDatabase } }: { scheduled: ScheduledRestore }) {
  const t = useT()
  const restores = useListed('GET /api/v1/restores', {
    server: targetServerId,
    database: targetDatabase,
    limit: 50,
  })
  const ours = restores.items?.filter(({ scheduledRestoreId }) => scheduledRestoreId === id)
  return (
    <Section title={t('History')}>
      <Asked question={{ ...restores, data: ours }}>
        {(items: Restore[]) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t('It has restored nothing yet.')}
            </Text>
          ) : (
            <RestoreTable label={t('History')} restores={items} />
          )
        }
      </Asked>
    </Section>
  )
}
