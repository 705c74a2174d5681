import { Alert, Anchor, Button, Stack, Text, TextInput } from '@mantine/core'
import { IconMail } from '@tabler/icons-react'
import { useState } from 'react'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { Outside } from './outside.tsx'
import { useTry } from './use-try.ts'

interface ForgottenPasswordProps {
  email: string
  onBack: () => void
}

/** Orders a link by mail. Whether there is such an account is not said. */
export function ForgottenPassword({ email: given, onBack }: ForgottenPasswordProps) {
  const t = useT()
  const [email, setEmail] = useState(given)
  const order = useTry('POST /api/v1/password-reset', { changesNothing: true })
  const back = (
    <Anchor component="button" type="button" size="sm" onClick={onBack}>
      {t('Back to the sign-in')}
    </Anchor>
  )
  if (order.isSuccess) {
    return (
      <Outside title={t('Look at your mail')}>
        <Stack gap="md" align="flex-start">
          <Alert variant="light" icon={<IconMail aria-hidden />} role="status" w="100%">
            <Text size="sm">
              {t(
                'If {{email}} signs in here with a password, a link to set a new one is on its way. It works once, within an hour.',
                { email },
              )}
            </Text>
          </Alert>
          {back}
        </Stack>
      </Outside>
    )
  }
  return (
    <Outside title={t('Forgotten password')} about={t('A link to set a new password comes by mail.')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          order.mutate({ body: { email } })
        }}
      >
        <Stack gap="md">
          <TextInput
            label={t('E-mail')}
            type="email"
            autoComplete="username"
            autoFocus
            required
            withAsterisk={false}
            value={email}
            error={fieldErrors(order.error)['email']}
            onChange={({ currentTarget }) => setEmail(currentTarget.value)}
          />
          <FailedForm error={order.error} shown={['email']} />
          <Button type="submit" fullWidth loading={order.isPending}>
            {t('Send the link')}
          </Button>
          {back}
        </Stack>
      </form>
    </Outside>
  )
}
