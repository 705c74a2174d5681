import { Button, Checkbox, Group, Stack } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { useT } from '../i18n/i18n.ts'
import { ShownOnce } from '../parts/shown-once.tsx'

interface SavedSecretProps {
  name: string
  secret: string
  onSaved: () => void
}

/** A secret that was made up. It goes away only when somebody says that it is saved. */
export function SavedSecret({ name, secret, onSaved }: SavedSecretProps) {
  const t = useT()
  const [isSaved, setSaved] = useState(false)
  return (
    <Stack gap="lg">
      <ShownOnce title={t('The secret of “{{name}}”', { name })} value={secret} copy={t('Copy the secret')}>
        {t(
          'It is shown this once. Without it nobody opens the backups once Holdfast is lost. Keep it in two places that do not burn down together.',
        )}
      </ShownOnce>
      <Group>
        <Button
          component="a"
          variant="default"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${secret}\n`)}`}
          download={`holdfast-key-${name.replaceAll(/[^\w-]+/g, '-')}.txt`}
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          {t('Download')}
        </Button>
      </Group>
      <Checkbox
        label={t('I have saved it')}
        checked={isSaved}
        onChange={({ currentTarget }) => setSaved(currentTarget.checked)}
      />
      <Group>
        <Button disabled={!isSaved} onClick={onSaved}>
          {t('Done')}
        </Button>
      </Group>
    </Stack>
  )
}
