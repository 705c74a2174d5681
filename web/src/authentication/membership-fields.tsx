import { Group, Input, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { asking, useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'

export interface Membership {
  organizationId: string
  roleId: string
}

interface MembershipFieldsProps {
  membership: Membership
  isDisabled: boolean
  error?: string | undefined
  onChange: (membership: Membership) => void
}

/** A role in an organization. */
export function MembershipFields({
  membership: { organizationId, roleId },
  isDisabled,
  error,
  onChange,
}: MembershipFieldsProps) {
  const t = useT()
  const { data: organizations = [] } = useAll('GET /api/v1/organizations')
  const roles = useQuery({
    ...asking('GET /api/v1/organizations/{id}/roles', { params: { id: organizationId } }),
    enabled: organizationId !== '',
  })
  return (
    <Input.Wrapper error={error} flex={1}>
      <Group gap="xs" grow>
        <Select
          aria-label={t('Organization')}
          placeholder={t('Organization')}
          allowDeselect={false}
          data={organizations.map(({ id, name }) => ({ value: id, label: name }))}
          value={organizationId === '' ? null : organizationId}
          disabled={isDisabled}
          onChange={(chosen) => onChange({ organizationId: chosen ?? '', roleId: '' })}
        />
        <Select
          aria-label={t('Role')}
          placeholder={t('Role')}
          allowDeselect={false}
          data={(roles.data?.items ?? []).map(({ id, name }) => ({ value: id, label: t(name) }))}
          value={roleId === '' ? null : roleId}
          disabled={isDisabled || organizationId === ''}
          onChange={(chosen) => onChange({ organizationId, roleId: chosen ?? '' })}
        />
      </Group>
    </Input.Wrapper>
  )
}
