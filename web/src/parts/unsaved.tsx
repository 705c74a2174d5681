import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'
import { useT } from '../i18n/i18n.ts'

/**
 * Asks before a page is left whose form has changes that are not saved. Where saving itself leads to another page:
 * `navigate({ to, ignoreBlocker: true })`.
 */
export function UnsavedGuard({ when }: { when: boolean }) {
  const t = useT()
  const { status, proceed, reset } = useBlocker({
    // What only changes what the page is limited to, like an opened tab, leaves nothing.
    shouldBlockFn: ({ current, next }) => when && current.pathname !== next.pathname,
    enableBeforeUnload: () => when,
    withResolver: true,
  })
  return (
    <Modal
      opened={status === 'blocked'}
      onClose={() => reset?.()}
      title={t('Leave without saving?')}
      closeButtonProps={{ 'aria-label': t('Close') }}
    >
      <Stack>
        <Text size="sm">{t('What you have changed here is not saved yet.')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => reset?.()} data-autofocus>
            {t('Stay here')}
          </Button>
          <Button color="red" variant="light" onClick={() => proceed?.()}>
            {t('Leave')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
