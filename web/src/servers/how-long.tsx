import { Paper, Radio, Stack } from '@mantine/core'
import { useState } from 'react'
import { DEFAULT_RETENTION, DEFAULT_TIERS, type RetentionPolicy } from '../../../src/shared/retention.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { RetentionFields } from '../plans/retention-fields.tsx'
import { policyText } from '../plans/retention-text.ts'

const usual: Record<string, { title: string; policy: RetentionPolicy }> = {
  last: { title: msg('The last ones'), policy: DEFAULT_RETENTION },
  tiers: {
    title: msg('The newest of each day, week and month'),
    policy: { ...DEFAULT_TIERS, minimumKept: 1 },
  },
  forever: { title: msg('Everything'), policy: { forever: true, minimumKept: 1 } },
}

interface HowLongProps {
  value: RetentionPolicy
  onChange: (policy: RetentionPolicy) => void
  errors: Record<string, string>
}

/** How long snapshots are kept: as most people want it, or by rules of one’s own. */
export function HowLong({ value, onChange, errors }: HowLongProps) {
  const t = useT()
  const language = useLanguage()
  const [chosen, setChosen] = useState('last')
  return (
    <Stack gap="sm">
      <Radio.Group
        label={t('How long')}
        value={chosen}
        onChange={(name) => {
          setChosen(name)
          onChange(usual[name]?.policy ?? value)
        }}
      >
        <Stack gap="xs" mt="xs">
          {Object.entries(usual).map(([name, { title, policy }]) => (
            <Radio
              key={name}
              value={name}
              label={t(title)}
              description={
                name === 'forever'
                  ? undefined
                  : t('Keeps {{policy}}.', { policy: policyText(policy, t, language) })
              }
            />
          ))}
          <Radio value="own" label={t('By rules of your own')} />
        </Stack>
      </Radio.Group>
      {chosen === 'own' && (
        <Paper withBorder p="md">
          <RetentionFields value={value} onChange={onChange} errors={errors} />
        </Paper>
      )}
    </Stack>
  )
}
