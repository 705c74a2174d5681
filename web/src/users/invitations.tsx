import { Badge, Button, Group, Menu, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { Invitation } from '../../../src/shared/invitations.ts'
import { useAll, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { When } from '../parts/when.tsx'
import { InvitationLink } from './invitation-link.tsx'

/** Who is invited and has not accepted yet. */
export function Invitations() {
  const t = useT()
  const invitations = useAll('GET /api/v1/invitations')
  const columns: Column<Invitation>[] = [
    { title: t('E-mail'), isWide: true, cell: ({ email }) => email },
    {
      title: t('Role'),
      cell: ({ role }) => (
        <Badge variant="light" tt="none">
          {t(role.name)}
        </Badge>
      ),
    },
    {
      title: t('Invited by'),
      cell: ({ invitedBy }) => invitedBy?.name ?? t('a token'),
    },
    {
      title: t('Expires'),
      cell: ({ state, expiresAt }) =>
        state === 'expired' ? (
          <Badge variant="light" color="orange" tt="none">
            {t('expired')}
          </Badge>
        ) : (
          <When at={expiresAt} />
        ),
    },
    {
      title: '',
      align: 'right',
      cell: (invitation) => (
        <Group justify="flex-end">
          <InvitationMenu invitation={invitation} />
        </Group>
      ),
    },
  ]
  return (
    <Asked question={invitations} lines={1}>
      {(items) => {
        const waiting = items.filter(({ state }) => state !== 'accepted')
        return waiting.length === 0 ? null : (
          <Stack gap="sm">
            <Title order={2} size="h4">
              {t('Invitations')}
            </Title>
            <DataTable label={t('Invitations')} columns={columns} rows={waiting} idOf={({ id }) => id} />
          </Stack>
        )
      }}
    </Asked>
  )
}

function InvitationMenu({ invitation: { id, email } }: { invitation: Invitation }) {
  const t = useT()
  const [isRenewing, renewing] = useDisclosure()
  const [isRemoving, removing] = useDisclosure()
  const remove = useChange('DELETE /api/v1/invitations/{id}', { onSuccess: removing.close })
  return (
    <>
      <RowMenu label={t('More for {{name}}', { name: email })}>
        <Menu.Item onClick={renewing.open}>{t('Make a new link')}</Menu.Item>
        <Menu.Item color="red" onClick={removing.open}>
          {t('Take back')}
        </Menu.Item>
      </RowMenu>
      <Dialog
        isOpen={isRenewing}
        onClose={renewing.close}
        title={t('A new link for {{email}}', { email })}
        closeOnClickOutside={false}
      >
        <Renewal id={id} onDone={renewing.close} />
      </Dialog>
      <Confirm
        isOpen={isRemoving}
        onClose={removing.close}
        title={t('Take the invitation of {{email}} back?', { email })}
        action={t('Take back')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id } })}
      >
        <Text size="sm">{t('Its link does not work any more.')}</Text>
      </Confirm>
    </>
  )
}

function Renewal({ id, onDone }: { id: string; onDone: () => void }) {
  const t = useT()
  const renew = useChange('POST /api/v1/invitations/{id}/renew')
  if (renew.data) return <InvitationLink invitation={renew.data.body} onDone={onDone} />
  return (
    <Stack>
      <Text size="sm">{t('The former link does not work any more then.')}</Text>
      <FailedForm error={renew.error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          {t('Cancel')}
        </Button>
        <Button loading={renew.isPending} onClick={() => renew.mutate({ params: { id } })}>
          {t('Make a new link')}
        </Button>
      </Group>
    </Stack>
  )
}
