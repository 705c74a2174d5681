import { Button, Group, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { NewNotificationRule, NotificationRule } from '../../../src/shared/notifications.ts'
import { type AnswerOf, fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { EventFields } from './event-fields.tsx'
import { ReceiverFields } from './receiver-fields.tsx'
import { ServerChoiceFields } from './server-choice-fields.tsx'

export type EventItem = AnswerOf<'GET /api/v1/notification-events'>['items'][number]

interface RuleFormProps {
  events: EventItem[]
  saved?: { rule: NotificationRule; etag: string | undefined }
  onDirty: () => void
  onSaved: () => void
}

type Draft = Omit<NewNotificationRule, 'isEnabled'>

export function RuleForm({ events, saved, onDirty, onSaved }: RuleFormProps) {
  const t = useT()
  const [first] = useState(saved)
  const [draft, setDraft] = useState<Draft>(
    () => first?.rule ?? { name: '', events: defaultsOf(events), servers: { all: true }, channels: null },
  )
  const add = useChange('POST /api/v1/notification-rules', { onSuccess: onSaved })
  const save = useChange('PATCH /api/v1/notification-rules/{id}', { onSuccess: onSaved })
  const error = add.error ?? save.error
  const errors = fieldErrors(error)
  const set = (changes: Partial<Draft>) => {
    onDirty()
    setDraft({ ...draft, ...changes })
  }
  const submit = () => {
    const { name, events, servers, channels } = draft
    const body = { name, events, servers, channels }
    if (!first) return add.mutate({ body })
    const ifMatch = first.etag === undefined ? {} : { ifMatch: first.etag }
    return save.mutate({ params: { id: first.rule.id }, body, ...ifMatch })
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
        <TextInput
          label={t('Name')}
          withAsterisk
          maxLength={100}
          autoComplete="off"
          value={draft.name}
          error={errors['name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <EventFields
          events={events}
          value={draft.events}
          error={errors['events']}
          onDefault={() => set({ events: defaultsOf(events) })}
          onChange={(events) => set({ events })}
        />
        <ServerChoiceFields
          value={draft.servers}
          error={errors['servers'] ?? errors['servers.ids'] ?? errors['servers.labels']}
          onChange={(servers) => set({ servers })}
        />
        <ReceiverFields
          value={draft.channels}
          error={errors['channels']}
          onChange={(channels) => set({ channels })}
        />
        {error && <Failed error={error} />}
        <Group>
          <Button type="submit" loading={add.isPending || save.isPending}>
            {first ? t('Save') : t('Add rule')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function defaultsOf(events: EventItem[]): Draft['events'] {
  return events.filter(({ isDefault }) => isDefault).map(({ name }) => name)
}
