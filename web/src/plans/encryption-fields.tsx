import { Anchor, Group, Select, Stack, Text } from '@mantine/core'
import type { PlanEncryption } from '../../../src/shared/plans.ts'
import { useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { LinkTo } from '../parts/link.tsx'

interface EncryptionFieldsProps {
  value: PlanEncryption
  onChange: (encryption: PlanEncryption) => void
  error: string | undefined
}

/** What its snapshots are encrypted with, if with anything. */
export function EncryptionFields({ value, onChange, error }: EncryptionFieldsProps) {
  const t = useT()
  const keys = useAll('GET /api/v1/keys')
  const checks = useAsk('GET /api/v1/keys/check')
  const usable = keys.data?.filter(({ state }) => state === 'active') ?? []
  const hasInstanceKey = checks.data?.items.some(
    ({ kind, state }) => kind === 'instance' && state === 'active',
  )
  const fitting = (method: '7z' | 'age') => [
    ...(method === '7z' && hasInstanceKey
      ? [{ value: 'instance', label: t('the key of this installation') }]
      : []),
    ...usable
      .filter(({ kind }) => (kind === 'password') === (method === '7z'))
      .map(({ id, name }) => ({ value: id, label: name })),
  ]
  const data = value.method === 'none' ? [] : fitting(value.method)
  return (
    <Stack gap="xs">
      <Group align="flex-start" gap="md">
        <Select
          label={t('Encryption')}
          data={[
            { value: 'none', label: t('none') },
            { value: '7z', label: t('7z: AES-256 with a password') },
            { value: 'age', label: t('age: for recipients, or with a passphrase') },
          ]}
          value={value.method}
          allowDeselect={false}
          w={{ base: '100%', xs: 320 }}
          onChange={(method) => {
            if (method === 'none') onChange({ method })
            if (method === '7z' || method === 'age')
              onChange({ method, keyId: fitting(method)[0]?.value ?? '' })
          }}
        />
        {value.method !== 'none' && (
          <Select
            label={t('Key')}
            data={data}
            value={value.keyId || null}
            error={error}
            withAsterisk
            allowDeselect={false}
            w={{ base: '100%', xs: 280 }}
            onChange={(keyId) => keyId && onChange({ method: value.method, keyId })}
          />
        )}
      </Group>
      {value.method !== 'none' && data.length === 0 && keys.data && (
        <Text size="sm">
          {t('There is no key of this kind yet.')}{' '}
          <Anchor component={LinkTo} to="/settings/keys" size="sm">
            {t('Keys')}
          </Anchor>
        </Text>
      )}
    </Stack>
  )
}
