import { Alert, Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { IconLock, IconTestPipe } from '@tabler/icons-react'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useAsk, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { type VolumeDraft, VolumeForm } from './volume-form.tsx'

export function EditVolumePage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const saved = useSaved('GET /api/v1/volumes/{id}', { params: { id } })
  const kinds = useAsk('GET /api/v1/volume-kinds')
  const name = saved.data?.body.name ?? t('Volume')
  return (
    <Page
      title={t('Edit “{{name}}”', { name })}
      above={[
        { title: t('Volumes'), to: '/volumes' },
        { title: name, to: `/volumes/${id}` },
      ]}
    >
      <Asked question={saved}>
        {(answer) => (
          <Asked question={kinds}>
            {({ items }) => {
              const kind = items.find(({ name }) => name === answer.body.kind)
              return kind && <EditVolume saved={answer} schema={kind.settings} />
            }}
          </Asked>
        )}
      </Asked>
    </Page>
  )
}

interface EditVolumeProps {
  saved: Saved<'GET /api/v1/volumes/{id}'>
  schema: Record<string, unknown>
}

function EditVolume({ saved, schema }: EditVolumeProps) {
  const t = useT()
  const navigate = useNavigate()
  const [{ body: volume, etag }] = useState(saved)
  const [draft, setDraft] = useState<VolumeDraft>(volume)
  const [filesWereMoved, setMoved] = useState(false)
  const { id, kind } = volume
  const test = useChange('POST /api/v1/volumes/test', { changesNothing: true })
  const save = useChange('PATCH /api/v1/volumes/{id}', {
    onSuccess: () => navigate({ to: `/volumes/${id}`, ignoreBlocker: true }),
  })
  const isElsewhere = JSON.stringify(draft.settings) !== JSON.stringify(volume.settings)
  const { name, settings, quota, quotaAction, bandwidth, maxRunning, isReadOnly } = draft
  const change = (changed: VolumeDraft) => {
    setDraft(changed)
    if (changed.settings !== settings || changed.isReadOnly !== isReadOnly) test.reset()
  }
  const submit = () =>
    save.mutate({
      params: { id },
      body: {
        name,
        quota,
        quotaAction,
        bandwidth,
        maxRunning,
        isReadOnly,
        ...(isElsewhere && { settings, ...(filesWereMoved && { filesWereMoved }) }),
      },
      ...(etag !== undefined && { ifMatch: etag }),
    })
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Stack gap="lg" maw="52rem">
        <UnsavedGuard when={JSON.stringify(draft) !== JSON.stringify(volume)} />
        <VolumeForm schema={schema} draft={draft} onChange={change} error={save.error ?? test.error} />
        <Locked id={id} isElsewhere={isElsewhere} isMoved={filesWereMoved} onMoved={setMoved} />
        {test.error && <Failed error={test.error} />}
        {test.data && <TestReportView report={test.data.body} />}
        {save.error && <Failed error={save.error} />}
        <Group>
          <Button type="submit" loading={save.isPending}>
            {t('Save')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconTestPipe size={16} aria-hidden />}
            loading={test.isPending}
            onClick={() => test.mutate({ body: { kind, settings, isReadOnly, volumeId: id } })}
          >
            {t('Test')}
          </Button>
          <Button component={LinkTo} to={`/volumes/${id}`} variant="subtle">
            {t('Cancel')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface LockedProps {
  id: string
  isElsewhere: boolean
  isMoved: boolean
  onMoved: (isMoved: boolean) => void
}

/** A volume that keeps copies stays where it is, unless all its files were moved. */
function Locked({ id, isElsewhere, isMoved, onMoved }: LockedProps) {
  const t = useT()
  const { data } = useAsk('GET /api/v1/volumes/{id}/losses', { params: { id } })
  if (!data || data.copies === 0) return null
  return (
    <Alert
      variant="light"
      color="blue"
      icon={<IconLock aria-hidden />}
      title={t('{{count}} copies lie on this volume', { count: data.copies })}
    >
      <Stack gap="sm">
        <Text size="sm">{t('So its place stays as it is. Name, limits and credentials may change.')}</Text>
        {isElsewhere && (
          <Checkbox
            label={t('The files were moved')}
            description={t(
              'All of them, each with its manifest. Every copy is looked for at the new place first; if one is missing nothing is changed.',
            )}
            checked={isMoved}
            onChange={({ currentTarget }) => onMoved(currentTarget.checked)}
          />
        )}
      </Stack>
    </Alert>
  )
}
