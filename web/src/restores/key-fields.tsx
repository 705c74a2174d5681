import { PasswordInput, Stack, Text, Textarea } from '@mantine/core'
import type { RestoreKeys } from '../../../src/shared/restores.ts'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'

interface KeyFieldsProps {
  value: RestoreKeys
  onChange: (keys: RestoreKeys) => void
  /** By the field: `keys.ageIdentity`. */
  errors?: Record<string, string>
}

/** Whether a snapshot with this key can be opened by the app alone; undefined while that is not known. */
export function useIsKeyAtHand(keyId: string | null | undefined): boolean | undefined {
  const { data } = useAsk('GET /api/v1/keys/check')
  if (keyId === null) return true
  return data?.items.find((key) => key.keyId === keyId)?.isAtHand
}

/** Keys that the app does not have, for one restore. */
export function KeyFields({ value, onChange, errors = {} }: KeyFieldsProps) {
  const t = useT()
  const { ageIdentity = '', passphrase = '' } = value
  return (
    <Stack gap="sm">
      <Text size="sm">
        {t(
          'Holdfast does not have the key of this snapshot. What you give here is used for this restore alone, and forgotten when it begins.',
        )}
      </Text>
      <Textarea
        label={t('age identity')}
        description={t('Begins with AGE-SECRET-KEY-1')}
        autosize
        minRows={2}
        spellCheck={false}
        autoComplete="off"
        value={ageIdentity}
        error={errors['keys.ageIdentity']}
        onChange={({ currentTarget }) => onChange({ ...value, ageIdentity: currentTarget.value })}
      />
      <PasswordInput
        label={t('Passphrase of age, or password of 7z')}
        autoComplete="off"
        value={passphrase}
        error={errors['keys.passphrase']}
        onChange={({ currentTarget }) => onChange({ ...value, passphrase: currentTarget.value })}
      />
    </Stack>
  )
}

/** As the API wants them: what is empty is not sent. */
export function givenKeys({ ageIdentity, passphrase }: RestoreKeys): { keys?: RestoreKeys } {
  const keys = { ...(ageIdentity && { ageIdentity }), ...(passphrase && { passphrase }) }
  return Object.keys(keys).length === 0 ? {} : { keys }
}
