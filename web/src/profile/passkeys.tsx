import { Badge, Button, Group, Menu, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import type { Passkey } from '../../../src/shared/passkeys.ts'
import { fieldErrors, useAsk, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { Section } from '../parts/section.tsx'
import { When } from '../parts/when.tsx'
import { addPasskey, browserSupportsWebAuthn } from '../sign-in/passkeys.ts'
import { Entry } from './entry.tsx'
import { browserOf } from './user-agent.ts'

export function Passkeys() {
  const t = useT()
  const passkeys = useAsk('GET /api/v1/me/passkeys')
  const [isAdding, adding] = useDisclosure()
  const isPossible = browserSupportsWebAuthn()
  return (
    <Section
      title={t('Passkeys')}
      about={
        isPossible
          ? t('They sign in with a fingerprint, a face or a PIN of a device, without a password.')
          : t('Browsers use passkeys only over https://, and at http://localhost.')
      }
      actions={
        isPossible && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={adding.open}
          >
            {t('Add passkey')}
          </Button>
        )
      }
    >
      <Asked question={passkeys} lines={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm">{t('You have none yet.')}</Text>
          ) : (
            <Stack gap="sm" component="ul" m={0} p={0}>
              {items.map((passkey) => (
                <PasskeyEntry key={passkey.id} passkey={passkey} />
              ))}
            </Stack>
          )
        }
      </Asked>
      <Dialog isOpen={isAdding} onClose={adding.close} title={t('Add passkey')}>
        <Addition onDone={adding.close} />
      </Dialog>
    </Section>
  )
}

function Addition({ onDone }: { onDone: () => void }) {
  const t = useT()
  const add = useMutation<void, AppError, string>({ mutationFn: addPasskey, onSuccess: onDone })
  return (
    <NameForm
      name={browserOf(navigator.userAgent) ?? ''}
      action={t('Go on')}
      isPending={add.isPending}
      error={add.error}
      onSave={(name) => add.mutate(name)}
      onCancel={onDone}
    />
  )
}

function Renaming({ passkey: { id, name }, onDone }: { passkey: Passkey; onDone: () => void }) {
  const t = useT()
  const rename = useChange('PATCH /api/v1/me/passkeys/{id}', { onSuccess: onDone })
  return (
    <NameForm
      name={name}
      action={t('Rename')}
      isPending={rename.isPending}
      error={rename.error}
      onSave={(name) => rename.mutate({ params: { id }, body: { name } })}
      onCancel={onDone}
    />
  )
}

interface NameFormProps {
  name: string
  action: string
  isPending: boolean
  error: AppError | null
  onSave: (name: string) => void
  onCancel: () => void
}

function NameForm({ name: given, action, isPending, error, onSave, onCancel }: NameFormProps) {
  const t = useT()
  const [name, setName] = useState(given)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSave(name)
      }}
    >
      <Stack>
        <TextInput
          label={t('What you call it')}
          description={t('So that you know later which device it is on.')}
          data-autofocus
          required
          withAsterisk={false}
          value={name}
          error={fieldErrors(error)['name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <FailedForm error={error} shown={['name']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={isPending}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function PasskeyEntry({ passkey }: { passkey: Passkey }) {
  const t = useT()
  const { id, name, isBackedUp, createdAt, lastUsedAt } = passkey
  const [isRenaming, renaming] = useDisclosure()
  const [isDeleting, deleting] = useDisclosure()
  const remove = useChange('DELETE /api/v1/me/passkeys/{id}', { onSuccess: deleting.close })
  return (
    <>
      <Entry
        title={
          <Group gap="xs">
            {name}
            {isBackedUp && (
              <Badge variant="light" color="gray" tt="none">
                {t('synchronised')}
              </Badge>
            )}
          </Group>
        }
        action={
          <RowMenu label={t('More for {{name}}', { name })}>
            <Menu.Item onClick={renaming.open}>{t('Rename')}</Menu.Item>
            <Menu.Item color="red" onClick={deleting.open}>
              {t('Delete')}
            </Menu.Item>
          </RowMenu>
        }
      >
        <Text size="sm" c="dimmed">
          {t('Added:')} <When at={createdAt} /> · {t('Last used:')} <When at={lastUsedAt} />
        </Text>
      </Entry>
      <Dialog isOpen={isRenaming} onClose={renaming.close} title={t('Rename passkey')}>
        <Renaming passkey={passkey} onDone={renaming.close} />
      </Dialog>
      <Confirm
        isOpen={isDeleting}
        onClose={deleting.close}
        title={t('Delete the passkey “{{name}}”?', { name })}
        action={t('Delete passkey')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id } })}
      >
        <Text size="sm">{t('It does not sign in any more. The device may still offer it.')}</Text>
      </Confirm>
    </>
  )
}
