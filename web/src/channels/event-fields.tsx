import { Button, Checkbox, Fieldset, Group, Stack, Text } from '@mantine/core'
import type { EventName } from '../../../src/shared/notifications.ts'
import { useT } from '../i18n/i18n.ts'
import { eventGroups, eventTitles } from './event-words.ts'
import type { EventItem } from './rule-form.tsx'

interface EventFieldsProps {
  events: EventItem[]
  value: EventName[]
  onChange: (events: EventName[]) => void
  /** Chooses those of the rule that is there from the start. */
  onDefault: () => void
  error: string | undefined
}

/** What people may want to hear of, by what it is about. */
export function EventFields({ events, value, onChange, onDefault, error }: EventFieldsProps) {
  const t = useT()
  const groupOf = (name: string) =>
    eventGroups.find(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)))
  return (
    <Fieldset legend={t('Events')}>
      <Stack gap="md">
        <Group>
          <Button variant="default" size="xs" onClick={onDefault}>
            {t('Failures and overdue backups')}
          </Button>
        </Group>
        {eventGroups.map((group) => (
          <Checkbox.Group key={group.title} label={t(group.title)} value={value} onChange={onChange}>
            <Stack gap="xs" mt="xs">
              {events
                .filter(({ name }) => groupOf(name) === group)
                .map(({ name, description }) => (
                  <Checkbox
                    key={name}
                    value={name}
                    label={t(eventTitles[name] ?? name)}
                    description={t(description)}
                  />
                ))}
            </Stack>
          </Checkbox.Group>
        ))}
        {error !== undefined && (
          <Text size="sm" c="red">
            {error}
          </Text>
        )}
      </Stack>
    </Fieldset>
  )
}
