import { Button, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import type { ShownInvitation } from '../../../src/shared/invitations.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { LinkTo } from '../parts/link.tsx'
import { shortTime } from '../parts/when.tsx'
import { AcceptWithAccount } from './accept-with-account.tsx'
import { AcceptWithNewAccount } from './accept-with-new-account.tsx'
import { useHashToken } from './hash-token.ts'
import { keepInvitation, keptInvitation } from './kept-invitation.ts'
import { Outside } from './outside.tsx'
import { tryOnce } from './use-try.ts'

export function InvitationPage() {
  const t = useT()
  const given = useHashToken()
  const [token] = useState(() => given ?? keptInvitation())
  useEffect(() => {
    if (given !== undefined) keepInvitation(given)
  }, [given])
  if (token === undefined) {
    return (
      <Outside
        title={t('This link is not complete')}
        about={t('Copy all of it, with what stands behind the “#”, into the address bar.')}
      >
        <Button component={LinkTo} to="/sign-in" variant="default" fullWidth>
          {t('To the sign-in')}
        </Button>
      </Outside>
    )
  }
  return <Invitation token={token} />
}

function Invitation({ token }: { token: string }) {
  const t = useT()
  const language = useLanguage()
  const look = useQuery<ShownInvitation, AppError>({
    queryKey: ['invitation', token],
    queryFn: async () => (await tryOnce('POST /api/v1/invitations/look', { body: { token } })).body,
    staleTime: Infinity,
  })
  const { data: invitation } = look
  return (
    <Outside
      title={
        invitation ? t('Join “{{organization}}”', { organization: invitation.organization }) : t('Invitation')
      }
      about={
        invitation &&
        t('{{email}} is invited, with the role {{role}}, until {{time}}.', {
          email: invitation.email,
          role: invitation.role,
          time: shortTime(invitation.expiresAt, language),
        })
      }
    >
      <Asked question={look} lines={3}>
        {(invitation) => (
          <Stack gap="md">
            {invitation.hasAccount ? (
              <AcceptWithAccount token={token} invitation={invitation} />
            ) : (
              <AcceptWithNewAccount token={token} invitation={invitation} />
            )}
          </Stack>
        )}
      </Asked>
    </Outside>
  )
}
