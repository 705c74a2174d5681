import { Badge, Group, Stack, Text } from '@mantine/core'
import type { Account } from '../../../src/shared/users.ts'
import { useAll } from '../api.ts'
import { numberText } from '../parts/bytes.tsx'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { When } from '../parts/when.tsx'
import { AccountMenu } from './account-menu.tsx'
import { PersonName } from './person-name.tsx'

/** Everybody who can sign in. */
export function Accounts() {
  const t = useT()
  const me = useMe()
  const language = useLanguage()
  const accounts = useAll('GET /api/v1/accounts')
  const columns: Column<Account>[] = [
    {
      title: t('Person'),
      isWide: true,
      cell: ({ id, name, email, isDisabled, isInstanceAdministrator }) => (
        <PersonName
          name={name}
          email={email}
          isOneself={id === me.user?.id}
          isDisabled={isDisabled}
          isAdministrator={isInstanceAdministrator}
        />
      ),
    },
    {
      title: t('Organizations'),
      cell: ({ organizations }) =>
        organizations.length === 0 ? (
          <Text span inherit c="dimmed">
            {t('none')}
          </Text>
        ) : (
          <Stack gap={2}>
            {organizations.map(({ id, name, role }) => (
              <Text key={id} size="sm">
                {t('{{organization}}: {{role}}', { organization: name, role: t(role.name) })}
              </Text>
            ))}
          </Stack>
        ),
    },
    {
      title: t('Signs in with'),
      cell: ({ hasPassword, hasSecondFactor, passkeys }) => (
        <Group gap={4}>
          {hasPassword && (
            <Badge variant="light" color="gray" tt="none">
              {t('password')}
            </Badge>
          )}
          {hasSecondFactor && (
            <Badge variant="light" color="green" tt="none">
              {t('second factor')}
            </Badge>
          )}
          {passkeys > 0 && (
            <Badge variant="light" color="green" tt="none">
              {t('{{count}} passkeys', { count: passkeys })}
            </Badge>
          )}
        </Group>
      ),
    },
    { title: t('Sessions'), align: 'right', cell: ({ sessions }) => numberText(sessions, language) },
    { title: t('Last sign-in'), cell: ({ lastSignInAt }) => <When at={lastSignInAt} /> },
    {
      title: '',
      align: 'right',
      cell: (account) => (
        <Group justify="flex-end">
          <AccountMenu account={account} />
        </Group>
      ),
    },
  ]
  return (
    <Asked question={accounts}>
      {(items) => <DataTable label={t('Accounts')} columns={columns} rows={items} idOf={({ id }) => id} />}
    </Asked>
  )
}
