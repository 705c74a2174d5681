import { List, Text } from '@mantine/core'
import type { Account, AccountLosses } from '../../../src/shared/users.ts'
import { asking, useChange, useSure } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'

interface DeleteAccountProps {
  account: Account
  isOpen: boolean
  onClose: () => void
}

export function DeleteAccount({ account: { id, name, email }, isOpen, onClose }: DeleteAccountProps) {
  const t = useT()
  const losses = useSure(asking('GET /api/v1/accounts/{id}/losses', { params: { id } }), isOpen)
  const remove = useChange('DELETE /api/v1/accounts/{id}', { onSuccess: onClose })
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t('Delete the account of {{name}}?', { name })}
      action={t('Delete account')}
      typed={email}
      isPending={remove.isPending}
      isDisabled={!losses.isSure}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { id } })}
    >
      <Asked question={losses} lines={2}>
        {(lost) => <Losses lost={lost} />}
      </Asked>
    </Confirm>
  )
}

function Losses({
  lost: { organizations, tokens, invitations, sessions, passkeys },
}: {
  lost: AccountLosses
}) {
  const t = useT()
  return (
    <>
      <Text size="sm">{t('With it goes, and does not come back:')}</Text>
      <List size="sm">
        <List.Item>{t('the account, with its name and password')}</List.Item>
        {organizations.map((organization) => (
          <List.Item key={organization}>
            {t('the membership in “{{organization}}”', { organization })}
          </List.Item>
        ))}
        {tokens.map(({ name, organization }) => (
          <List.Item key={`${organization} ${name}`}>
            {t('the API token “{{name}}” of “{{organization}}”', { name, organization })}
          </List.Item>
        ))}
        {invitations.map((email) => (
          <List.Item key={email}>{t('the open invitation of {{email}}', { email })}</List.Item>
        ))}
        {passkeys > 0 && <List.Item>{t('{{count}} passkeys', { count: passkeys })}</List.Item>}
        {sessions > 0 && <List.Item>{t('{{count}} sessions', { count: sessions })}</List.Item>}
      </List>
    </>
  )
}
