import { Stack, Switch, TagsInput, Text, TextInput, Title } from '@mantine/core'
import type { ProviderRules } from '../../../src/shared/identity-providers.ts'
import { useT } from '../i18n/i18n.ts'
import { errorOf } from '../parts/field-errors.ts'
import { MappingFields } from './mapping-fields.tsx'
import { MembershipFields } from './membership-fields.tsx'

interface ProviderRulesFieldsProps {
  rules: ProviderRules
  /** Where groups or roles usually stand at this kind. */
  usualClaim: string | null
  isDisabled: boolean
  errors: Record<string, string>
  onChange: (changes: Partial<ProviderRules>) => void
}

/** Who may sign in by it, and which roles it gives. */
export function ProviderRulesFields({
  rules,
  usualClaim,
  isDisabled,
  errors,
  onChange,
}: ProviderRulesFieldsProps) {
  const t = useT()
  const { autoCreate, emailDomains, defaultMembership, claim, mappings, isStrict } = rules
  return (
    <>
      <Stack gap="md">
        <Title order={3} size="h5">
          {t('Who may sign in')}
        </Title>
        <Switch
          label={t('Make accounts')}
          description={t('Whoever signs in for the first time gets one, if a role follows for them.')}
          checked={autoCreate}
          disabled={isDisabled}
          onChange={({ currentTarget }) => onChange({ autoCreate: currentTarget.checked })}
        />
        <TagsInput
          label={t('Only e-mail addresses of')}
          description={t('Domains, like example.com. Empty: all addresses.')}
          placeholder={t('Type, then press Enter')}
          splitChars={[',', ' ']}
          acceptValueOnBlur
          value={emailDomains}
          disabled={isDisabled}
          error={errorOf(errors, 'emailDomains')}
          onChange={(changed) => onChange({ emailDomains: changed })}
        />
      </Stack>
      <Stack gap="md">
        <Title order={3} size="h5">
          {t('Roles')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('Looked at anew at each sign-in. What a person gave or changed here is not touched.')}
        </Text>
        <TextInput
          label={t('Claim')}
          description={t('Where groups or roles stand. Empty: the provider gives no roles by groups.')}
          placeholder={usualClaim ?? 'groups'}
          autoComplete="off"
          spellCheck={false}
          value={claim ?? ''}
          disabled={isDisabled}
          error={errors['claim']}
          onChange={({ currentTarget }) =>
            onChange({ claim: currentTarget.value === '' ? null : currentTarget.value })
          }
        />
        {claim !== null && (
          <MappingFields
            mappings={mappings}
            isDisabled={isDisabled}
            error={errorOf(errors, 'mappings')}
            onChange={(changed) => onChange({ mappings: changed })}
          />
        )}
        <Switch
          label={t('Give a role to those whom no mapping fits')}
          checked={defaultMembership !== null}
          disabled={isDisabled}
          onChange={({ currentTarget }) =>
            onChange({ defaultMembership: currentTarget.checked ? { organizationId: '', roleId: '' } : null })
          }
        />
        {defaultMembership && (
          <MembershipFields
            membership={defaultMembership}
            isDisabled={isDisabled}
            error={errorOf(errors, 'defaultMembership')}
            onChange={(changed) => onChange({ defaultMembership: changed })}
          />
        )}
        <Switch
          label={t('Strict')}
          description={t('Whoever no mapping fits may not sign in, and loses what the provider gave.')}
          checked={isStrict}
          disabled={isDisabled}
          onChange={({ currentTarget }) => onChange({ isStrict: currentTarget.checked })}
        />
      </Stack>
    </>
  )
}
