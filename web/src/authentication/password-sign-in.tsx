import { Stack, Switch, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import type { InstanceSettingsChanges, ShownInstanceSettings } from '../../../src/shared/instance-settings.ts'
import { client, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { CodeBlock } from '../parts/code-block.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { Section } from '../parts/section.tsx'

const BREAK_GLASS = 'holdfast users reset-password ada@example.com --link'

/** Whether passwords sign in at all, and alone. */
export function PasswordSignIn() {
  const t = useT()
  const [isAsking, asking] = useDisclosure()
  const settings = useQuery<{ body: ShownInstanceSettings; etag: string | undefined }, AppError>({
    queryKey: ['GET /api/v1/instance-settings', 'with its etag'],
    queryFn: async ({ signal }) => {
      try {
        const { body, etag } = await client.ask('GET /api/v1/instance-settings', { signal })
        return { body, etag }
      } catch (error) {
        throw asAppError(error)
      }
    },
  })
  const change = useChange('PATCH /api/v1/instance-settings', { onSuccess: asking.close })
  const set = (changes: InstanceSettingsChanges) =>
    change.mutate({ body: changes, ifMatch: settings.data?.etag })
  return (
    <Section title={t('Passwords')}>
      <Asked question={settings} lines={1}>
        {({ body: { passwordSignIn, requireSecondFactor } }) => (
          <Stack gap="md">
            <Switch
              label={t('People may sign in with a password')}
              description={t(
                'Passkeys and identity providers sign in either way. Switching it off needs a provider that is switched on.',
              )}
              checked={passwordSignIn}
              disabled={change.isPending}
              onChange={({ currentTarget }) =>
                currentTarget.checked ? set({ passwordSignIn: true }) : asking.open()
              }
            />
            <Switch
              label={t('Behind a password, a second factor is demanded')}
              description={t(
                'Who has no authenticator app yet sets one up at the next click, and can do nothing else before. Passkeys and identity providers count as they are.',
              )}
              checked={requireSecondFactor}
              disabled={change.isPending || !passwordSignIn}
              onChange={({ currentTarget }) => set({ requireSecondFactor: currentTarget.checked })}
            />
            {!isAsking && <FailedForm error={change.error} />}
            <Text size="sm" c="dimmed">
              {t(
                'If no way in works any more, this prints a link that signs in, once, on the machine of Holdfast:',
              )}
            </Text>
            <CodeBlock code={BREAK_GLASS} label={t('Copy the command')} />
          </Stack>
        )}
      </Asked>
      <Confirm
        isOpen={isAsking}
        onClose={() => {
          change.reset()
          asking.close()
        }}
        title={t('Switch passwords off?')}
        action={t('Switch passwords off')}
        isPending={change.isPending}
        error={change.error}
        onConfirm={() => set({ passwordSignIn: false })}
      >
        <Text size="sm">
          {t(
            'Nobody signs in with a password any more, no password is reset by mail, and no second factor is asked for. Whoever has neither a passkey nor an account at a provider is locked out, also you.',
          )}
        </Text>
      </Confirm>
    </Section>
  )
}
