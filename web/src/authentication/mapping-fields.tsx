import { ActionIcon, Button, Group, Input, Paper, Stack, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import type { ProviderRules } from '../../../src/shared/identity-providers.ts'
import { useT } from '../i18n/i18n.ts'
import { MembershipFields } from './membership-fields.tsx'

type Mapping = ProviderRules['mappings'][number]

interface MappingFieldsProps {
  mappings: readonly Mapping[]
  isDisabled: boolean
  error?: string | undefined
  onChange: (mappings: Mapping[]) => void
}

/** From values of the claim to roles. */
export function MappingFields({ mappings, isDisabled, error, onChange }: MappingFieldsProps) {
  const t = useT()
  const set = (at: number, mapping: Mapping) =>
    onChange(mappings.map((other, index) => (index === at ? mapping : other)))
  return (
    <Input.Wrapper
      label={t('Mappings')}
      labelElement="div"
      description={t('From values of the claim to roles. Of each organization the first that fits counts.')}
      error={error}
    >
      <Stack gap="sm" mt="xs">
        {mappings.map((mapping, index) => (
          <Paper
            key={index}
            withBorder
            p="sm"
            role="group"
            aria-label={t('Mapping {{number}}', { number: index + 1 })}
          >
            <Stack gap="xs">
              <Group gap="xs" wrap="nowrap">
                <TextInput
                  flex={1}
                  aria-label={t('Value of the claim')}
                  placeholder={t('Value of the claim')}
                  autoComplete="off"
                  spellCheck={false}
                  disabled={isDisabled}
                  value={mapping.value}
                  onChange={({ currentTarget }) => set(index, { ...mapping, value: currentTarget.value })}
                />
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('Remove mapping {{number}}', { number: index + 1 })}
                  disabled={isDisabled}
                  onClick={() => onChange(mappings.filter((_, at) => at !== index))}
                >
                  <IconX size={16} aria-hidden />
                </ActionIcon>
              </Group>
              <MembershipFields
                membership={mapping}
                isDisabled={isDisabled}
                onChange={(membership) => set(index, { ...mapping, ...membership })}
              />
            </Stack>
          </Paper>
        ))}
        <Group>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={14} aria-hidden />}
            disabled={isDisabled}
            onClick={() => onChange([...mappings, { value: '', organizationId: '', roleId: '' }])}
          >
            {t('Add mapping')}
          </Button>
        </Group>
      </Stack>
    </Input.Wrapper>
  )
}
