import { Modal, type ModalProps } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'

interface DialogProps extends Pick<ModalProps, 'size' | 'closeOnClickOutside' | 'closeOnEscape'> {
  isOpen: boolean
  onClose: () => void
  title: string
  children: ModalProps['children']
}

/** Something short to fill in or to read before one goes on. */
export function Dialog({ isOpen, onClose, title, children, ...rest }: DialogProps) {
  const t = useT()
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={title}
      closeButtonProps={{ 'aria-label': t('Close') }}
      {...rest}
    >
      {children}
    </Modal>
  )
}
