import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from './failed.tsx'

interface ConfirmProps {
  isOpen: boolean
  onClose: () => void
  title: string
  /** Exactly what will be lost, as the app itself says it. */
  children: ReactNode
  /** The verb: “Delete 3 snapshots”. */
  action: string
  onConfirm: () => void
  isPending?: boolean
  error?: AppError | null
  /** What must be typed before: for what cannot be brought back. */
  typed?: string | undefined
  isDisabled?: boolean
}

/** Asks before something that cannot be undone, and stays open until it is done or has failed. */
export function Confirm({
  isOpen,
  onClose,
  title,
  children,
  action,
  onConfirm,
  isPending = false,
  error,
  typed,
  isDisabled = false,
}: ConfirmProps) {
  const t = useT()
  const [given, setGiven] = useState('')
  const [isTried, setTried] = useState(false)
  const close = () => {
    setGiven('')
    // What has failed before it was closed is no news when it is opened again.
    setTried(false)
    onClose()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={title}
      size="lg"
      closeButtonProps={{ 'aria-label': t('Close') }}
    >
      <Stack>
        {children}
        {typed !== undefined && (
          <TextInput
            label={t('Type “{{name}}” to go on', { name: typed })}
            value={given}
            autoComplete="off"
            onChange={({ currentTarget }) => setGiven(currentTarget.value)}
          />
        )}
        {isTried && error && <Failed error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('Cancel')}
          </Button>
          <Button
            color="red"
            loading={isPending}
            disabled={isDisabled || (typed !== undefined && given !== typed)}
            onClick={() => {
              setTried(true)
              onConfirm()
            }}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
