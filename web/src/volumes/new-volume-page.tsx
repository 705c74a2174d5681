import { Alert, Button, Group, Paper, Stack, Text } from '@mantine/core'
import { IconInfoCircle, IconTestPipe } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAsk, useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Failed } from '../parts/failed.tsx'
import { KindCards } from '../parts/kind-cards.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { defaultsOf } from '../parts/schema-form.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { type VolumeDraft, VolumeForm } from './volume-form.tsx'
import { VolumeIcon } from './volume-icon.tsx'

const purposes: Record<string, string> = {
  local: msg('On this machine, or mounted there'),
  s3: msg('AWS, MinIO, Ceph, Backblaze and others'),
  sftp: msg('A machine that you reach by SSH'),
}

export function NewVolumePage() {
  const t = useT()
  const [{ kind }, filter] = useFilters()
  const kinds = useAsk('GET /api/v1/volume-kinds')
  return (
    <Page title={t('Add volume')} above={[{ title: t('Volumes'), to: '/volumes' }]}>
      <Asked question={kinds}>
        {({ items }) => {
          const chosen = items.find(({ name }) => name === kind)
          return (
            <Stack gap="lg" maw="52rem">
              <Paper withBorder p="lg">
                <KindCards
                  label={t('What kind of place is it?')}
                  kinds={items.map(({ name, label }) => ({
                    name,
                    label: t(label),
                    icon: <VolumeIcon kind={name} />,
                    ...(purposes[name] !== undefined && { about: t(purposes[name]) }),
                  }))}
                  value={chosen?.name}
                  onChange={(kind) => filter({ kind })}
                />
              </Paper>
              {chosen && <NewVolume key={chosen.name} kind={chosen.name} schema={chosen.settings} />}
            </Stack>
          )
        }}
      </Asked>
    </Page>
  )
}

function NewVolume({ kind, schema }: { kind: string; schema: Record<string, unknown> }) {
  const t = useT()
  const navigate = useNavigate()
  const [draft, setDraft] = useState<VolumeDraft>(() => ({
    name: '',
    settings: defaultsOf(schema),
    quota: null,
    quotaAction: 'warn',
    bandwidth: null,
    maxRunning: 4,
    isReadOnly: false,
  }))
  const [isDirty, setDirty] = useState(false)
  const test = useChange('POST /api/v1/volumes/test', { changesNothing: true })
  const add = useChange('POST /api/v1/volumes', {
    onSuccess: ({ body }) => navigate({ to: `/volumes/${body.id}`, ignoreBlocker: true }),
  })
  const change = (changed: VolumeDraft) => {
    setDraft(changed)
    setDirty(true)
    // What was tested was something else.
    if (changed.settings !== draft.settings || changed.isReadOnly !== draft.isReadOnly) test.reset()
  }
  const { settings, isReadOnly } = draft
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate({ body: { kind, ...draft } })
      }}
    >
      <Stack gap="lg">
        <UnsavedGuard when={isDirty} />
        <VolumeForm schema={schema} draft={draft} onChange={change} error={add.error ?? test.error} />
        {isReadOnly && (
          <Alert variant="light" color="blue" icon={<IconInfoCircle aria-hidden />}>
            <Text size="sm">
              {t('When it is added, scan it: the snapshots that lie there then show in the catalogue.')}
            </Text>
          </Alert>
        )}
        {test.error && <Failed error={test.error} />}
        {test.data && <TestReportView report={test.data.body} />}
        {add.error && <Failed error={add.error} />}
        <Group>
          <Button type="submit" loading={add.isPending}>
            {t('Add volume')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconTestPipe size={16} aria-hidden />}
            loading={test.isPending}
            onClick={() => test.mutate({ body: { kind, settings, isReadOnly } })}
          >
            {t('Test')}
          </Button>
          <Button component={LinkTo} to="/volumes" variant="subtle">
            {t('Cancel')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
