import { Checkbox, Group, Input, NumberInput, SimpleGrid, Stack, Text } from '@mantine/core'
import {
  DEFAULT_RETENTION,
  DEFAULT_TIERS,
  type RetentionPolicy,
  type Tier,
  tiers,
} from '../../../src/shared/retention.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { policyText } from './retention-text.ts'

const tierTitles: Record<Tier, string> = {
  hourly: msg('Hours'),
  daily: msg('Days'),
  weekly: msg('Weeks'),
  monthly: msg('Months'),
  yearly: msg('Years'),
}

interface RetentionFieldsProps {
  value: RetentionPolicy
  onChange: (policy: RetentionPolicy) => void
  /** What is wrong with which field: `keepLast`, `daily` …; empty: with all of it. */
  errors?: Record<string, string>
}

/** How long snapshots are kept. Rules add up: what any of them keeps stays. */
export function RetentionFields({ value, onChange, errors = {} }: RetentionFieldsProps) {
  const t = useT()
  const language = useLanguage()
  const hasTiers = tiers.some((tier) => value[tier] !== undefined)
  const isForever = value.forever === true || value.keepLast === 0
  const set = (changes: Partial<RetentionPolicy>) => onChange(withoutEmpty({ ...value, ...changes }))
  const count = (name: keyof RetentionPolicy, label: string, isLabelled = true) => (
    <NumberInput
      {...(isLabelled ? { label } : { 'aria-label': label })}
      w={isLabelled ? undefined : 90}
      min={1}
      allowDecimal={false}
      value={typeof value[name] === 'number' ? value[name] : ''}
      error={errors[name]}
      onChange={(given) => set({ [name]: given === '' ? undefined : Number(given) })}
    />
  )
  return (
    <Stack gap="md">
      <Text size="sm">
        {t('Keeps {{policy}}.', { policy: policyText(value, t, language) })}{' '}
        {t('The newest good snapshot of each database always stays.')}
      </Text>
      <Checkbox
        label={t('Keep everything, forever')}
        checked={isForever}
        onChange={({ currentTarget: { checked } }) =>
          onChange(checked ? { forever: true, minimumKept: value.minimumKept } : DEFAULT_RETENTION)
        }
      />
      {!isForever && (
        <>
          <Group gap="sm" mih={36}>
            <Checkbox
              label={t('Keep the newest')}
              checked={value.keepLast !== undefined}
              onChange={({ currentTarget: { checked } }) => set({ keepLast: checked ? 7 : undefined })}
            />
            {value.keepLast !== undefined && count('keepLast', t('How many of the newest'), false)}
          </Group>
          <Group gap="sm" mih={36}>
            <Checkbox
              label={t('Keep those younger than so many days')}
              checked={value.keepDays !== undefined}
              onChange={({ currentTarget: { checked } }) => set({ keepDays: checked ? 30 : undefined })}
            />
            {value.keepDays !== undefined && count('keepDays', t('Younger than so many days'), false)}
          </Group>
          <Checkbox
            label={t('Keep the newest of each day, week, month …')}
            description={t('Of so many of the last hours, days, weeks, months and years; empty is off')}
            checked={hasTiers}
            onChange={({ currentTarget: { checked } }) => set(checked ? DEFAULT_TIERS : withoutTiers)}
          />
          {hasTiers && (
            <SimpleGrid cols={{ base: 2, sm: 5 }} spacing="sm" pl={{ base: 0, sm: 32 }}>
              {tiers.map((tier) => (
                <div key={tier}>{count(tier, t(tierTitles[tier]))}</div>
              ))}
            </SimpleGrid>
          )}
          <NumberInput
            label={t('Minimum kept')}
            description={t('So many of the newest snapshots stay whatever the rules say')}
            maw={320}
            min={1}
            allowDecimal={false}
            value={value.minimumKept}
            error={errors['minimumKept']}
            onChange={(given) => set({ minimumKept: Number(given) })}
          />
        </>
      )}
      {errors[''] !== undefined && (
        <Input.Error size="sm" role="alert">
          {errors['']}
        </Input.Error>
      )}
    </Stack>
  )
}

const withoutTiers = Object.fromEntries(tiers.map((tier) => [tier, undefined])) as Record<Tier, undefined>

function withoutEmpty(policy: Partial<RetentionPolicy>): RetentionPolicy {
  return Object.fromEntries(
    Object.entries(policy).filter(([, value]) => value !== undefined),
  ) as RetentionPolicy
}
