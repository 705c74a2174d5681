import { Button, Drawer, Group, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { useT } from '../i18n/i18n.ts'
import classes from './form-drawer.module.css'
import { UnsavedGuard } from './unsaved.tsx'

interface FormDrawerProps {
  isOpen: boolean
  onClose: () => void
  title: string
  /** Then it asks before it closes. */
  isDirty: boolean
  children: ReactNode
}

/** A form beside the list to which it belongs. */
export function FormDrawer({ isOpen, onClose, title, isDirty, children }: FormDrawerProps) {
  const t = useT()
  const [isAsking, asking] = useDisclosure(false)
  const close = isDirty ? asking.open : onClose
  const closeButtonProps = { 'aria-label': t('Close') }
  return (
    <Drawer.Root opened={isOpen} onClose={close} position="right" size="xl">
      <Drawer.Overlay />
      <Drawer.Content>
        <Drawer.Body>
          {/* Drawer.Header would be a second banner beside that of the page. */}
          <Group justify="space-between" wrap="nowrap" className={classes.top}>
            <Drawer.Title fw={650} fz="lg">
              {title}
            </Drawer.Title>
            <Drawer.CloseButton {...closeButtonProps} />
          </Group>
          <UnsavedGuard when={isOpen && isDirty} />
          {/* Not there before it asks: it would take the key that closes the drawer for its own. */}
          {isAsking && (
            <Modal
              opened
              onClose={asking.close}
              title={t('Leave without saving?')}
              closeButtonProps={closeButtonProps}
            >
              <Stack>
                <Text size="sm">{t('What you have changed here is not saved yet.')}</Text>
                <Group justify="flex-end">
                  <Button variant="default" onClick={asking.close} data-autofocus>
                    {t('Stay here')}
                  </Button>
                  <Button
                    color="red"
                    variant="light"
                    onClick={() => {
                      asking.close()
                      onClose()
                    }}
                  >
                    {t('Leave')}
                  </Button>
                </Group>
              </Stack>
            </Modal>
          )}
          {children}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}
