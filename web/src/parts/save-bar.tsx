import { Button, Group, Paper, Stack, Text } from '@mantine/core'
import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from './failed.tsx'
import classes from './save-bar.module.css'
import { UnsavedGuard } from './unsaved.tsx'

interface SaveBarProps {
  isDirty: boolean
  isPending: boolean
  error: AppError | null
  onSave: () => void
  onDiscard: () => void
  /** Reads what somebody else has saved meanwhile; what was changed here stays. */
  onReload: () => unknown
}

/** Stands at the lower edge as long as something is not saved, however long the form is. */
export function SaveBar({ isDirty, isPending, error, onSave, onDiscard, onReload }: SaveBarProps) {
  const t = useT()
  const isOutdated = error?.code === 'changed_meanwhile'
  return (
    <>
      <UnsavedGuard when={isDirty} />
      {isDirty && (
        <Paper
          withBorder
          shadow="md"
          p="sm"
          className={classes.bar}
          role="region"
          aria-label={t('Unsaved changes')}
        >
          <Stack gap="sm">
            {error && <Failed error={error} {...(isOutdated && { retry: onReload })} />}
            <Group justify="space-between">
              <Text size="sm">{t('What you have changed is not saved yet.')}</Text>
              <Group gap="xs">
                <Button variant="default" onClick={onDiscard}>
                  {t('Discard')}
                </Button>
                <Button loading={isPending} onClick={onSave}>
                  {t('Save')}
                </Button>
              </Group>
            </Group>
          </Stack>
        </Paper>
      )}
    </>
  )
}
