import { ActionIcon, Button, Menu, Text } from '@mantine/core'
import { IconBuilding, IconCheck, IconSelector } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { useSwitchOrganization } from '../organizations/switch-organization.ts'

/** Which organization one works in, and the others. Narrow: its sign, if there are others. */
export function OrganizationSwitch({ isNarrow = false }: { isNarrow?: boolean }) {
  const t = useT()
  const { organization, organizations } = useMe()
  const choose = useSwitchOrganization()
  const label = t('Organization: {{name}}', { name: organization.name })
  if (organizations.length < 2) {
    return isNarrow ? null : (
      <Text size="sm" fw={500} px={4} truncate>
        {organization.name}
      </Text>
    )
  }
  return (
    <Menu {...(isNarrow ? { position: 'right-start' } : { width: 'target' })}>
      <Menu.Target>
        {isNarrow ? (
          <ActionIcon variant="default" size="lg" loading={choose.isPending} aria-label={label} title={label}>
            <IconBuilding size={18} aria-hidden />
          </ActionIcon>
        ) : (
          <Button
            fullWidth
            variant="default"
            justify="space-between"
            loading={choose.isPending}
            leftSection={<IconBuilding size={16} aria-hidden />}
            rightSection={<IconSelector size={16} aria-hidden />}
            aria-label={label}
          >
            <Text span size="sm" fw={500} truncate>
              {organization.name}
            </Text>
          </Button>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        {organizations.map(({ id, name }) => (
          <Menu.Item
            key={id}
            rightSection={id === organization.id && <IconCheck size={14} aria-label={t('chosen')} />}
            onClick={() => choose.mutate({ body: { id } })}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
