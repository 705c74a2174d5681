import { Button, Group, PasswordInput, Stack } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'

interface PasswordProofProps {
  /** What the password is asked for. */
  change: {
    mutate: (given: { body: { password: string } }) => void
    isPending: boolean
    error: AppError | null
  }
  action: string
  color?: string
  /** Undefined: there is no way back from it. */
  onCancel?: (() => void) | undefined
  children?: ReactNode
}

/** Asks for one's password before something that guards the account is changed. */
export function PasswordProof({ change, action, color, onCancel, children }: PasswordProofProps) {
  const t = useT()
  const [password, setPassword] = useState('')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({ body: { password } })
      }}
    >
      <Stack>
        {children}
        <PasswordInput
          label={t('Your password')}
          autoComplete="current-password"
          data-autofocus
          required
          withAsterisk={false}
          value={password}
          error={fieldErrors(change.error)['password']}
          visibilityToggleButtonProps={{ 'aria-label': t('Show the password') }}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
        />
        <FailedForm error={change.error} shown={['password']} />
        <Group justify="flex-end">
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              {t('Cancel')}
            </Button>
          )}
          <Button type="submit" color={color} loading={change.isPending}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
