import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { MySession } from '../../../src/shared/me.ts'
import { useAsk, useChange } from '../api.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { Section } from '../parts/section.tsx'
import { When } from '../parts/when.tsx'
import { Entry } from './entry.tsx'
import { browserOf } from './user-agent.ts'

export function Sessions() {
  const t = useT()
  const sessions = useAsk('GET /api/v1/me/sessions')
  const end = useChange('DELETE /api/v1/me/sessions/{id}')
  const endOthers = useChange('DELETE /api/v1/me/sessions', {
    onSuccess: ({ body }) =>
      notifications.show({ message: t('{{count}} sessions ended', { count: body.ended }), color: 'green' }),
  })
  const hasOthers = (sessions.data?.items.length ?? 0) > 1
  return (
    <Section
      title={t('Where you are signed in')}
      actions={
        hasOthers && (
          <Button
            variant="light"
            color="red"
            size="xs"
            loading={endOthers.isPending}
            onClick={() => endOthers.mutate({})}
          >
            {t('Sign out everywhere else')}
          </Button>
        )
      }
    >
      <FailedForm error={end.error ?? endOthers.error} />
      <Asked question={sessions} lines={2}>
        {({ items }) => (
          <Stack gap="sm" component="ul" m={0} p={0}>
            {items.map((session) => (
              <Session
                key={session.id}
                session={session}
                isEnding={end.isPending && end.variables?.params.id === session.id}
                onEnd={() => end.mutate({ params: { id: session.id } })}
              />
            ))}
          </Stack>
        )}
      </Asked>
    </Section>
  )
}

interface SessionProps {
  session: MySession
  isEnding: boolean
  onEnd: () => void
}

function Session({ session, isEnding, onEnd }: SessionProps) {
  const t = useT()
  const { isCurrent, userAgent, address, method, createdAt, lastUsedAt } = session
  const browser = browserOf(userAgent) ?? t('Unknown browser')
  return (
    <Entry
      title={
        <Group gap="xs">
          {browser}
          {isCurrent && (
            <Badge variant="light" color="green" tt="none">
              {t('this browser')}
            </Badge>
          )}
        </Group>
      }
      action={
        !isCurrent && (
          <Button
            variant="default"
            size="xs"
            loading={isEnding}
            onClick={onEnd}
            aria-label={t('Sign out {{browser}}', { browser })}
          >
            {t('Sign out')}
          </Button>
        )
      }
    >
      <Text size="sm" c="dimmed">
        {[address, method === null ? null : t(methodWords(method))]
          .filter((part) => part !== null)
          .join(' · ')}
      </Text>
      <Text size="sm" c="dimmed">
        {t('Signed in:')} <When at={createdAt} /> · {t('Last used:')} <When at={lastUsedAt} />
      </Text>
    </Entry>
  )
}

function methodWords(method: string): string {
  if (method === 'password') return msg('with the password')
  if (method === 'passkey') return msg('with a passkey')
  if (method === 'link') return msg('with a link')
  return msg('with an identity provider')
}
