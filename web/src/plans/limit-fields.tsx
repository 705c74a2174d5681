import { NumberInput, SimpleGrid, Stack, TextInput } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { SizeInput } from '../parts/size-input.tsx'
import type { PlanDraft } from './plan-draft.ts'

interface LimitFieldsProps {
  draft: PlanDraft
  onChange: (changes: Partial<PlanDraft>) => void
  errors: Record<string, string>
}

type Needed = 'tries' | 'backoffSeconds' | 'timeoutMinutes' | 'stallMinutes' | 'jitterMinutes'
type Optional = 'overdueMinutes' | 'windowMinutes'

/** How often it is tried, when it is given up, and when its absence is an alarm. */
export function LimitFields({ draft, onChange, errors }: LimitFieldsProps) {
  const t = useT()
  const needed = (name: Needed, label: string, description: string, suffix: string, min = 1) => (
    <NumberInput
      label={label}
      description={description}
      min={min}
      suffix={suffix}
      allowDecimal={false}
      value={draft[name]}
      error={errors[name]}
      onChange={(given) => onChange({ [name]: Number(given) })}
    />
  )
  const optional = (name: Optional, label: string, description: string, suffix: string) => (
    <NumberInput
      label={label}
      description={description}
      min={1}
      suffix={suffix}
      allowDecimal={false}
      value={draft[name] ?? ''}
      error={errors[name]}
      onChange={(given) => onChange({ [name]: given === '' ? null : Number(given) })}
    />
  )
  const minutes = ` ${t('min')}`
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        {needed('tries', t('Tries'), t('How often a backup is tried in all'), '')}
        {needed(
          'backoffSeconds',
          t('Wait before the second try'),
          t('Doubled before each further one'),
          ` ${t('s')}`,
        )}
        {needed('timeoutMinutes', t('Ended after'), t('A backup that takes longer is ended'), minutes)}
        {needed(
          'stallMinutes',
          t('Ended if it stands still for'),
          t('A backup that moved no byte for so long is ended'),
          minutes,
        )}
        {optional(
          'overdueMinutes',
          t('Overdue after'),
          t('When a missing backup is an alarm; empty: the schedule’s interval and two hours'),
          minutes,
        )}
        {optional(
          'windowMinutes',
          t('Start no later than'),
          t('After its time; else it is left out. Empty: no limit'),
          minutes,
        )}
        {needed(
          'jitterMinutes',
          t('Spread starts over'),
          t('So that not all begin at once; 0: they begin on time'),
          minutes,
          0,
        )}
        <TextInput
          label={t('Only workers with the label')}
          description={t('Empty: any')}
          autoComplete="off"
          maxLength={63}
          value={draft.label ?? ''}
          error={errors['label']}
          onChange={({ currentTarget }) => onChange({ label: currentTarget.value || null })}
        />
      </SimpleGrid>
      <SizeInput
        label={t('Bandwidth')}
        description={t('At most so many bytes per second')}
        value={draft.bandwidth}
        unit="MiB"
        isRate
        error={errors['bandwidth']}
        onChange={(bandwidth) => onChange({ bandwidth })}
      />
    </Stack>
  )
}
