import { Anchor, Group, List, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Hook } from '../../../src/shared/hooks.ts'
import type { Plan } from '../../../src/shared/plans.ts'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import { useAll } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { Asked } from '../parts/asked.tsx'
import { bytesText, numberText } from '../parts/bytes.tsx'
import { CopyValue } from '../parts/copy-value.tsx'
import { Facts } from '../parts/facts.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { durationText } from '../parts/when.tsx'
import { compressionText } from '../settings/compression-fields.tsx'
import { PlanSwitch } from './plan-switch.tsx'
import { choiceText, encryptionText } from './plan-text.ts'
import { policyText } from './retention-text.ts'

const MINUTE = 60_000

/** All that a plan says. What it says nothing of is left out. */
export function PlanFacts({ plan }: { plan: Plan }) {
  const t = useT()
  const language = useLanguage()
  const names = useNames()
  const schedules = useAll('GET /api/v1/schedules').data ?? []
  const keys = useAll('GET /api/v1/keys').data ?? []
  const chosen = schedules.filter(({ id }) => plan.schedules.includes(id))
  const minutes = (value: number | undefined) =>
    value === undefined ? undefined : durationText(value * MINUTE, language)
  const facts: (readonly [string, ReactNode])[] = [
    [t('Runs by itself'), <PlanSwitch key="switch" plan={plan} />],
    [
      t('Server'),
      <Anchor key="server" component={LinkTo} to={`/servers/${plan.serverId}`} size="sm">
        {names.server(plan.serverId)}
      </Anchor>,
    ],
    [t('Databases'), choiceText(plan.databases, t, language)],
    [t('Never'), plan.excludedDatabases.length > 0 ? plan.excludedDatabases.join(', ') : undefined],
    [
      t('Schedules'),
      plan.schedules.length === 0 ? (
        t('by hand only')
      ) : (
        <List key="schedules" size="sm" listStyleType="none">
          {chosen.map(({ id, name, meaning }) => (
            <List.Item key={id}>
              {name}
              <Text size="xs" c="dimmed">
                {describeSchedule(meaning, { t, language })}
              </Text>
            </List.Item>
          ))}
        </List>
      ),
    ],
    [t('Volumes'), <Volumes key="volumes" plan={plan} />],
    [t('Keeps'), policyText(plan.retention, t, language)],
    [t('Compression'), compressionText(t, plan.compression)],
    [t('Encryption'), encryptionText(plan.encryption, keys, t)],
    [t('Folder'), plan.path],
    [t('File name'), plan.fileName],
    [t('Tries'), numberText(plan.tries, language)],
    [t('Ended after'), minutes(plan.timeoutMinutes)],
    [t('Overdue after'), minutes(plan.overdueMinutes)],
    [t('Start no later than'), minutes(plan.windowMinutes)],
    [t('Spread starts over'), plan.jitterMinutes > 0 ? minutes(plan.jitterMinutes) : undefined],
    [
      t('Bandwidth'),
      plan.bandwidth === undefined
        ? undefined
        : t('{{size}} per second', { size: bytesText(plan.bandwidth, language) }),
    ],
    [t('Only workers with the label'), plan.label],
    [t('Hooks'), <Hooks key="hooks" planId={plan.id} />],
    [t('Id'), <CopyValue key="id" value={plan.id} label={t('Copy the id, as hook scripts use it')} />],
  ]
  return (
    <Section title={t('Facts')}>
      <Facts facts={facts} />
    </Section>
  )
}

/** What runs around its backups: its own hooks, and those of the whole organization. */
function Hooks({ planId }: { planId: string }) {
  const t = useT()
  const question = useAll('GET /api/v1/hooks')
  const isOfPlan = (hook: Hook) =>
    hook.isEnabled && hook.around === 'backup' && (hook.planId ?? planId) === planId
  return (
    <Asked question={question} lines={1}>
      {(hooks) => (
        <Anchor component={LinkTo} to="/settings/hooks" search={{ tab: 'hooks' }} size="sm">
          {hooks
            .filter(isOfPlan)
            .map(({ name }) => name)
            .join(', ') || t('none')}
        </Anchor>
      )}
    </Asked>
  )
}

/** Where it writes to, and what is kept there if that differs. */
function Volumes({ plan: { volumes } }: { plan: Plan }) {
  const t = useT()
  const language = useLanguage()
  const names = useNames()
  return (
    <Group gap="xs">
      {volumes.map(({ id, retention }) => (
        <div key={id}>
          <Anchor component={LinkTo} to={`/volumes/${id}`} size="sm">
            {names.volume(id)}
          </Anchor>
          {retention && (
            <Text size="xs" c="dimmed">
              {t('keeps {{policy}}', { policy: policyText(retention, t, language) })}
            </Text>
          )}
        </div>
      ))}
    </Group>
  )
}
