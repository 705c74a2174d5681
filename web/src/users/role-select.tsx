import { Select } from '@mantine/core'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'

interface RoleSelectProps {
  value: string | null
  onChange: (id: string | null) => void
  error?: string | undefined
  label?: string
  isOptional?: boolean
}

/** The roles of the organization. One that may more than oneself cannot be given. */
export function RoleSelect({ value, onChange, error, label, isOptional = false }: RoleSelectProps) {
  const t = useT()
  const may = useMay()
  const { data: roles = [] } = useAll('GET /api/v1/roles')
  return (
    <Select
      label={label ?? t('Role')}
      required={!isOptional}
      withAsterisk={false}
      clearable={isOptional}
      allowDeselect={isOptional}
      placeholder={isOptional ? t('None') : t('Choose a role')}
      data={roles.map(({ id, name, abilities }) => ({
        value: id,
        label: t(name),
        disabled: !abilities.every((ability) => may(ability)),
      }))}
      value={value}
      error={error}
      onChange={onChange}
    />
  )
}
