import { Button, Group, Stack, Switch, TextInput } from '@mantine/core'
import { IconSend } from '@tabler/icons-react'
import { useState } from 'react'
import type { Channel } from '../../../src/shared/channels.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { KindCards } from '../parts/kind-cards.tsx'
import { defaultsOf, SchemaForm } from '../parts/schema-form.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { ChannelIcon } from './channel-icon.tsx'

interface ChannelFormProps {
  kinds: { name: string; label: string; settings: Record<string, unknown> }[]
  saved?: { channel: Channel; etag: string | undefined }
  onDirty: () => void
  onSaved: () => void
}

type Draft = Pick<Channel, 'name' | 'settings' | 'isShared'> & { kind: string | undefined }

export function ChannelForm({ kinds, saved, onDirty, onSaved }: ChannelFormProps) {
  const t = useT()
  const [first] = useState(saved)
  const [draft, setDraft] = useState<Draft>(
    () => first?.channel ?? { name: '', kind: undefined, settings: {}, isShared: false },
  )
  const test = useChange('POST /api/v1/channels/test', { changesNothing: true })
  const add = useChange('POST /api/v1/channels', { onSuccess: onSaved })
  const save = useChange('PATCH /api/v1/channels/{id}', { onSuccess: onSaved })
  const error = add.error ?? save.error ?? test.error
  const errors = fieldErrors(error)
  const { name, kind, settings, isShared } = draft
  const chosen = kinds.find((one) => one.name === kind)
  const set = (changes: Partial<Draft>) => {
    onDirty()
    setDraft({ ...draft, ...changes })
  }
  const tryOut = () => {
    if (kind === undefined) return
    add.reset()
    save.reset()
    test.mutate({ body: { kind, settings, ...(first && { channelId: first.channel.id }) } })
  }
  const submit = () => {
    test.reset()
    if (!first) {
      if (kind !== undefined) add.mutate({ body: { name, kind, settings, isShared } })
      return
    }
    const ifMatch = first.etag === undefined ? {} : { ifMatch: first.etag }
    save.mutate({ params: { id: first.channel.id }, body: { name, settings, isShared }, ...ifMatch })
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Stack gap="lg">
        {!first && (
          <KindCards
            label={t('Where do notices go?')}
            kinds={kinds.map(({ name, label }) => ({
              name,
              label: t(label),
              icon: <ChannelIcon kind={name} />,
            }))}
            value={kind}
            onChange={(kind) => {
              test.reset()
              const { settings = {} } = kinds.find((one) => one.name === kind) ?? {}
              set({ kind, settings: defaultsOf(settings) })
            }}
          />
        )}
        {chosen && (
          <>
            <TextInput
              label={t('Name')}
              withAsterisk
              maxLength={100}
              autoComplete="off"
              value={name}
              error={errors['name']}
              onChange={({ currentTarget }) => set({ name: currentTarget.value })}
            />
            <SchemaForm
              key={chosen.name}
              schema={chosen.settings}
              value={settings}
              errors={fieldErrors(error, 'settings.')}
              onChange={(settings) => {
                test.reset()
                set({ settings })
              }}
            />
            <Switch
              label={t('Shared')}
              description={t(
                'Rules of other organizations may use it, and see no more than its name and kind',
              )}
              checked={isShared}
              onChange={({ currentTarget }) => set({ isShared: currentTarget.checked })}
            />
            {test.data && <TestReportView report={test.data.body} />}
            {error && <Failed error={error} />}
            <Group>
              <Button type="submit" loading={add.isPending || save.isPending}>
                {first ? t('Save') : t('Add channel')}
              </Button>
              <Button
                variant="default"
                leftSection={<IconSend size={16} aria-hidden />}
                loading={test.isPending}
                onClick={tryOut}
              >
                {t('Send a test message')}
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </form>
  )
}
