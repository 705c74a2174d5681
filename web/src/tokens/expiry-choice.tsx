import { NativeSelect, Stack, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useT } from '../i18n/i18n.ts'

const DAY = 24 * 60 * 60 * 1000

interface ExpiryChoiceProps {
  /** Null: never. */
  onChange: (at: string | null) => void
  error?: string | undefined
}

/** After so many days, on a day, or never. */
export function ExpiryChoice({ onChange, error }: ExpiryChoiceProps) {
  const t = useT()
  const [choice, setChoice] = useState('90')
  const [day, setDay] = useState('')
  useEffect(() => onChange(expiryOf(choice, day)), [choice, day, onChange])
  return (
    <Stack gap="sm">
      <NativeSelect
        label={t('Expires')}
        value={choice}
        error={choice === 'day' ? undefined : error}
        onChange={({ currentTarget }) => setChoice(currentTarget.value)}
        data={[
          { value: '7', label: t('In 7 days') },
          { value: '30', label: t('In 30 days') },
          { value: '90', label: t('In 90 days') },
          { value: '365', label: t('In a year') },
          { value: 'day', label: t('On a day') },
          { value: 'never', label: t('Never') },
        ]}
      />
      {choice === 'day' && (
        <TextInput
          type="date"
          label={t('Last day')}
          required
          withAsterisk={false}
          value={day}
          error={error}
          onChange={({ currentTarget }) => setDay(currentTarget.value)}
        />
      )}
    </Stack>
  )
}

function expiryOf(choice: string, day: string): string | null {
  if (choice === 'never') return null
  if (choice !== 'day') return new Date(Date.now() + Number(choice) * DAY).toISOString()
  // The end of that day, where the viewer is.
  const end = new Date(`${day}T23:59:59`)
  return Number.isNaN(end.getTime()) ? null : end.toISOString()
}
