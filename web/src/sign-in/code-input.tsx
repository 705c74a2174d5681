import { TextInput } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'

interface CodeInputProps {
  value: string
  onChange: (value: string) => void
  error?: string | undefined
}

/** The six digits of an authenticator app, as they are typed, pasted, or filled in by the browser. */
export function CodeInput({ value, onChange, error }: CodeInputProps) {
  const t = useT()
  return (
    <TextInput
      label={t('Code')}
      placeholder="123 456"
      inputMode="numeric"
      autoComplete="one-time-code"
      autoFocus
      required
      withAsterisk={false}
      size="md"
      maxLength={20}
      value={value}
      error={error}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  )
}
