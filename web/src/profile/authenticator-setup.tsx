import { Anchor, Button, Center, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { TotpEnrolment } from '../../../src/shared/second-factor.ts'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { CopyValue } from '../parts/copy-value.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { CodeInput } from '../sign-in/code-input.tsx'
import { useTry } from '../sign-in/use-try.ts'
import { QrPicture } from './qr-picture.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'
import { PasswordProof } from './password-proof.tsx'

interface AuthenticatorSetupProps {
  onDone: () => void
  /** Undefined: there is no way back from it. */
  onCancel?: () => void
}

/** The password, then the secret with a first code, then the recovery codes. */
export function AuthenticatorSetup({ onDone, onCancel }: AuthenticatorSetupProps) {
  const [made, setMade] = useState<TotpEnrolment>()
  const [isVerified, setVerified] = useState(false)
  if (!made) return <Begin onMade={setMade} onCancel={onCancel} />
  if (!isVerified) return <FirstCode made={made} onVerified={() => setVerified(true)} onCancel={onCancel} />
  return <RecoveryCodes codes={made.recoveryCodes} onDone={onDone} />
}

interface BeginProps {
  onMade: (made: TotpEnrolment) => void
  onCancel: (() => void) | undefined
}

function Begin({ onMade, onCancel }: BeginProps) {
  const t = useT()
  const make = useTry('POST /api/v1/me/totp', {
    changesNothing: true,
    onSuccess: ({ body }) => onMade(body),
  })
  return <PasswordProof change={make} action={t('Go on')} onCancel={onCancel} />
}

interface FirstCodeProps {
  made: TotpEnrolment
  onVerified: () => void
  onCancel: (() => void) | undefined
}

function FirstCode({ made: { uri, secret }, onVerified, onCancel }: FirstCodeProps) {
  const t = useT()
  const [code, setCode] = useState('')
  const verify = useTry('POST /api/v1/me/totp/verify', { onSuccess: onVerified })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        verify.mutate({ body: { code } })
      }}
    >
      <Stack>
        <Text size="sm">{t('Scan this with the authenticator app.')}</Text>
        <Center>
          <QrPicture text={uri} label={t('QR code with the secret')} />
        </Center>
        <Stack gap={6}>
          <Text size="sm">{t('Or enter the secret there:')}</Text>
          <CopyValue value={inGroups(secret)} label={t('Copy the secret')} />
          <Anchor href={uri} size="sm">
            {t('Open it in an app on this device')}
          </Anchor>
        </Stack>
        <CodeInput value={code} onChange={setCode} error={fieldErrors(verify.error)['code']} />
        <FailedForm error={verify.error} shown={['code']} />
        <Group justify="flex-end">
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              {t('Cancel')}
            </Button>
          )}
          <Button type="submit" loading={verify.isPending}>
            {t('Turn on')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** Authenticator apps take it with the spaces. */
function inGroups(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(' ') ?? secret
}
