import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Section } from '../parts/section.tsx'
import { useTry } from '../sign-in/use-try.ts'
import { AuthenticatorSetup } from './authenticator-setup.tsx'
import { NewRecoveryCodes } from './recovery-codes.tsx'
import { PasswordProof } from './password-proof.tsx'

export function Authenticator() {
  const t = useT()
  const state = useAsk('GET /api/v1/me/totp')
  const [isAdding, adding] = useDisclosure()
  const [isRenewing, renewing] = useDisclosure()
  const [isRemoving, removing] = useDisclosure()
  return (
    <Section
      title={t('Authenticator app')}
      about={t('Behind the password, the six digits that it shows are asked for.')}
    >
      <Asked question={state} lines={1}>
        {({ isEnabled, recoveryCodesLeft }) =>
          isEnabled ? (
            <Stack gap="sm">
              <Group gap="xs">
                <Badge color="green" variant="light" tt="none">
                  {t('on')}
                </Badge>
                <Text size="sm">{t('{{count}} recovery codes left', { count: recoveryCodesLeft })}</Text>
              </Group>
              <Group gap="xs">
                <Button variant="default" size="xs" onClick={renewing.open}>
                  {t('New recovery codes')}
                </Button>
                <Button variant="light" color="red" size="xs" onClick={removing.open}>
                  {t('Remove')}
                </Button>
              </Group>
            </Stack>
          ) : (
            <Group>
              <Button variant="default" size="xs" onClick={adding.open}>
                {t('Set up')}
              </Button>
            </Group>
          )
        }
      </Asked>
      <Dialog
        isOpen={isAdding}
        onClose={adding.close}
        title={t('Set up an authenticator app')}
        closeOnClickOutside={false}
      >
        <AuthenticatorSetup onDone={adding.close} onCancel={adding.close} />
      </Dialog>
      <Dialog
        isOpen={isRenewing}
        onClose={renewing.close}
        title={t('New recovery codes')}
        closeOnClickOutside={false}
      >
        <NewRecoveryCodes onDone={renewing.close} />
      </Dialog>
      <Dialog isOpen={isRemoving} onClose={removing.close} title={t('Remove the authenticator app')}>
        <Removal onDone={removing.close} />
      </Dialog>
    </Section>
  )
}

function Removal({ onDone }: { onDone: () => void }) {
  const t = useT()
  const remove = useTry('DELETE /api/v1/me/totp', {
    onSuccess: () => {
      notifications.show({ message: t('The authenticator app is removed'), color: 'green' })
      onDone()
    },
  })
  return (
    <PasswordProof change={remove} action={t('Remove')} color="red" onCancel={onDone}>
      <Text size="sm">
        {t('From then on the password alone signs in, and the recovery codes are worth nothing any more.')}
      </Text>
    </PasswordProof>
  )
}
