import { Button, Group, Paper, Stack, Text, Textarea, Title } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useState } from 'react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'

/** A word that somebody has left, and a place to leave one. */
export function SnapshotComment({
  snapshot: { id, comment },
}: {
  snapshot: Pick<Snapshot, 'id' | 'comment'>
}) {
  const t = useT()
  const may = useMay()
  const [text, setText] = useState<string>()
  const save = useChange('PATCH /api/v1/snapshots/{id}', { onSuccess: () => setText(undefined) })
  const leave = () => {
    save.reset()
    setText(undefined)
  }
  const isDirty = text !== undefined && text.trim() !== (comment ?? '')
  if (comment === null && !may('edit-snapshots')) return null
  return (
    <Paper withBorder p="md" component="section">
      <UnsavedGuard when={isDirty} />
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {t('Comment')}
          </Title>
          {text === undefined && may('edit-snapshots') && (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconPencil size={14} aria-hidden />}
              onClick={() => setText(comment ?? '')}
            >
              {comment === null ? t('Leave a comment') : t('Edit comment')}
            </Button>
          )}
        </Group>
        {text === undefined ? (
          <Text size="sm" c={comment === null ? 'dimmed' : undefined} style={{ whiteSpace: 'pre-line' }}>
            {comment ?? t('None.')}
          </Text>
        ) : (
          <Stack gap="sm">
            <Textarea
              aria-label={t('Comment')}
              autosize
              minRows={2}
              maxLength={1000}
              data-autofocus
              value={text}
              error={fieldErrors(save.error)['comment']}
              onChange={({ currentTarget }) => setText(currentTarget.value)}
            />
            <FailedForm error={save.error} shown={['comment']} />
            <Group>
              <Button
                size="sm"
                loading={save.isPending}
                disabled={!isDirty}
                onClick={() => save.mutate({ params: { id }, body: { comment: text.trim() || null } })}
              >
                {t('Save comment')}
              </Button>
              <Button size="sm" variant="default" onClick={leave}>
                {t('Cancel')}
              </Button>
            </Group>
          </Stack>
        )}
      </Stack>
    </Paper>
  )
}
