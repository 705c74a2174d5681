import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { CreatedToken } from '../../../src/client/api.ts'
import { useT } from '../i18n/i18n.ts'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { ShownOnce } from '../parts/shown-once.tsx'
import { NewTokenForm } from './new-token-form.tsx'

interface NewTokenDrawerProps {
  isOpen: boolean
  onClose: () => void
}

export function NewTokenDrawer({ isOpen, onClose }: NewTokenDrawerProps) {
  const t = useT()
  const [isDirty, setDirty] = useState(false)
  const [made, setMade] = useState<CreatedToken>()
  const close = () => {
    setDirty(false)
    setMade(undefined)
    onClose()
  }
  return (
    <FormDrawer
      isOpen={isOpen}
      onClose={close}
      title={made ? t('The token “{{name}}”', { name: made.name }) : t('Add token')}
      isDirty={isDirty && made === undefined}
    >
      {made ? (
        <Stack>
          <ShownOnce title={t('The token')} value={made.token} copy={t('Copy the token')} />
          <Text size="sm">{t('Programs send it in the header “Authorization: Bearer …”.')}</Text>
          <Group justify="flex-end">
            <Button onClick={close}>{t('Done')}</Button>
          </Group>
        </Stack>
      ) : (
        <NewTokenForm onDirty={setDirty} onMade={setMade} onCancel={close} />
      )}
    </FormDrawer>
  )
}
