import { Fieldset, MultiSelect, Radio, Stack, Text } from '@mantine/core'
import type { NotificationRule } from '../../../src/shared/notifications.ts'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { RecordField } from '../parts/record-field.tsx'

type Choice = NotificationRule['servers']

interface ServerChoiceFieldsProps {
  value: Choice
  onChange: (servers: Choice) => void
  error: string | undefined
}

/** Of which servers a rule wants to hear. */
export function ServerChoiceFields({ value, onChange, error }: ServerChoiceFieldsProps) {
  const t = useT()
  const { data: servers = [] } = useAll('GET /api/v1/servers')
  const mode = 'all' in value ? 'all' : 'ids' in value ? 'ids' : 'labels'
  const first: Record<string, Choice> = { all: { all: true }, ids: { ids: [] }, labels: { labels: {} } }
  return (
    <Fieldset legend={t('Servers')}>
      <Stack gap="md">
        <Radio.Group
          aria-label={t('Servers')}
          value={mode}
          onChange={(mode) => onChange(first[mode] ?? { all: true })}
        >
          <Stack gap="xs">
            <Radio value="all" label={t('All servers')} />
            <Radio value="ids" label={t('These servers')} />
            <Radio value="labels" label={t('Servers that have certain labels at that moment')} />
          </Stack>
        </Radio.Group>
        {'ids' in value && (
          <MultiSelect
            label={t('These servers')}
            data={servers.map(({ id, name }) => ({ value: id, label: name }))}
            searchable
            value={value.ids}
            error={error}
            onChange={(ids) => onChange({ ids })}
          />
        )}
        {'labels' in value && (
          <RecordField
            label={t('Labels')}
            description={t('A server must have all of them')}
            isSecret={false}
            isDisabled={false}
            value={value.labels}
            error={error}
            onChange={(labels) => onChange({ labels })}
          />
        )}
        <Text size="xs" c="dimmed">
          {t('What is about no server, like a volume, is told whatever is chosen here.')}
        </Text>
      </Stack>
    </Fieldset>
  )
}
