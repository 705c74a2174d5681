import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconMail } from '@tabler/icons-react'
import type { CreatedInvitation } from '../../../src/shared/invitations.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { ShownOnce } from '../parts/shown-once.tsx'
import { shortTime } from '../parts/when.tsx'

interface InvitationLinkProps {
  invitation: CreatedInvitation
  onDone: () => void
}

/** The link, which is shown this once, and whether it is on its way already. */
export function InvitationLink({
  invitation: { email, link, expiresAt, mailed, mailError },
  onDone,
}: InvitationLinkProps) {
  const t = useT()
  const language = useLanguage()
  return (
    <Stack>
      {mailed && (
        <Alert variant="light" color="green" icon={<IconMail aria-hidden />}>
          <Text size="sm">{t('The link was mailed to {{email}}.', { email })}</Text>
        </Alert>
      )}
      {mailError && (
        <Alert
          variant="light"
          color="orange"
          icon={<IconAlertTriangle aria-hidden />}
          title={t('The mail could not be sent')}
        >
          <Text size="sm">{mailError.message}</Text>
        </Alert>
      )}
      <ShownOnce title={t('The link for {{email}}', { email })} value={link} copy={t('Copy the link')}>
        {t('It is shown this once, works once, and expires on {{time}}.', {
          time: shortTime(expiresAt, language),
        })}
      </ShownOnce>
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('Done')}</Button>
      </Group>
    </Stack>
  )
}
