import { Badge, Group, Stack, Text } from '@mantine/core'
import type { User } from '../../../src/shared/users.ts'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { When } from '../parts/when.tsx'
import { Invitations } from './invitations.tsx'
import { MemberMenu } from './member-menu.tsx'
import { PersonName } from './person-name.tsx'

/** The members of the organization, and who is invited. */
export function Members() {
  const t = useT()
  const me = useMe()
  const members = useAll('GET /api/v1/users')
  const columns: Column<User>[] = [
    {
      title: t('Person'),
      isWide: true,
      cell: ({ id, name, email, isDisabled, isInstanceAdministrator }) => (
        <PersonName
          name={name}
          email={email}
          isOneself={id === me.user?.id}
          isDisabled={isDisabled === true}
          isAdministrator={isInstanceAdministrator === true}
        />
      ),
    },
    {
      title: t('Role'),
      cell: ({ role, identityProvider }) => (
        <Stack gap={2} align="flex-start">
          <Badge variant="light" tt="none">
            {t(role.name)}
          </Badge>
          {identityProvider && (
            <Text size="xs" c="dimmed">
              {t('from {{provider}}', { provider: identityProvider.name })}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      title: t('Second factor'),
      cell: ({ hasSecondFactor }) =>
        hasSecondFactor ? (
          t('yes')
        ) : (
          <Text span inherit c="dimmed">
            {t('no')}
          </Text>
        ),
    },
    { title: t('Last sign-in'), cell: ({ lastSignInAt }) => <When at={lastSignInAt} /> },
    { title: t('Member since'), cell: ({ joinedAt }) => <When at={joinedAt} /> },
    {
      title: '',
      align: 'right',
      cell: (user) => (
        <Group justify="flex-end">
          <MemberMenu user={user} />
        </Group>
      ),
    },
  ]
  return (
    <Stack gap="lg">
      <Asked question={members}>
        {(items) => <DataTable label={t('Members')} columns={columns} rows={items} idOf={({ id }) => id} />}
      </Asked>
      <Invitations />
    </Stack>
  )
}
