import { Badge, Box, Group, List, Paper, Stack, Table, Text, Title } from '@mantine/core'
import { IconCheck, IconMinus } from '@tabler/icons-react'
import type { Ability } from '../../../src/client/api.ts'
import type { Role } from '../../../src/shared/roles.ts'
import { useT } from '../i18n/i18n.ts'
import classes from './role-matrix.module.css'
import { RoleMenu } from './role-menu.tsx'
import { ServerLimitView } from './server-limit-view.tsx'

interface RoleMatrixProps {
  roles: readonly Role[]
  abilities: readonly Ability[]
  onEdit: (id: string) => void
}

/** What each role allows: a table, and on a phone a card for each role. Those that allow least come first. */
export function RoleMatrix({ roles, abilities, onEdit }: RoleMatrixProps) {
  const t = useT()
  const sorted = roles.toSorted((a, b) => a.abilities.length - b.abilities.length)
  return (
    <>
      <Paper withBorder visibleFrom="md" className={classes.frame}>
        <Table.ScrollContainer minWidth={0} type="native" tabIndex={0} role="region" aria-label={t('Roles')}>
          <Table highlightOnHover={false}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th className={classes.ability}>{t('Who has it may')}</Table.Th>
                {sorted.map((role) => (
                  <Table.Th key={role.id} scope="col" className={classes.role}>
                    <RoleHead role={role} onEdit={onEdit} />
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {abilities.map(({ name, title }) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={400} className={classes.ability}>
                    {t(title)}
                  </Table.Th>
                  {sorted.map((role) => (
                    <Table.Td key={role.id}>
                      {role.abilities.includes(name) ? (
                        <Text span c="green" lh={0} display="block">
                          <IconCheck size={18} stroke={2.5} aria-label={t('yes')} />
                        </Text>
                      ) : (
                        <Text span c="dimmed" lh={0} display="block">
                          <IconMinus size={18} aria-label={t('no')} />
                        </Text>
                      )}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Paper>
      <Stack gap="sm" hiddenFrom="md">
        {sorted.map((role) => (
          <Paper key={role.id} withBorder p="md">
            <Stack gap="sm">
              <RoleHead role={role} onEdit={onEdit} isCard />
              <List size="sm" spacing={4} icon={<IconCheck size={16} aria-hidden />}>
                {abilities
                  .filter(({ name }) => role.abilities.includes(name))
                  .map(({ name, title }) => (
                    <List.Item key={name}>{t(title)}</List.Item>
                  ))}
              </List>
            </Stack>
          </Paper>
        ))}
      </Stack>
    </>
  )
}

interface RoleHeadProps {
  role: Role
  onEdit: (id: string) => void
  isCard?: boolean
}

function RoleHead({ role, onEdit, isCard = false }: RoleHeadProps) {
  const t = useT()
  return (
    <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
      <Stack gap={2} miw={0}>
        {isCard ? (
          <Title order={2} size="h5">
            {t(role.name)}
          </Title>
        ) : (
          <Text fw={600} size="sm">
            {t(role.name)}
          </Text>
        )}
        <Text size="xs" c="dimmed" fw={400}>
          {t('{{count}} users', { count: role.members })}
        </Text>
        {role.servers && (
          <Box fw={400}>
            <Badge variant="light" color="orange" size="sm" tt="none" mb={4} miw="max-content">
              {t('some servers')}
            </Badge>
            <ServerLimitView limit={role.servers} />
          </Box>
        )}
      </Stack>
      <RoleMenu role={role} onEdit={() => onEdit(role.id)} />
    </Group>
  )
}
