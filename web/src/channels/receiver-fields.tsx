import { Fieldset, MultiSelect, Radio, Stack } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { useChannels } from './names.ts'

interface ReceiverFieldsProps {
  /** Ids; null: all. */
  value: string[] | null
  onChange: (channels: string[] | null) => void
  error: string | undefined
}

/** Where a rule tells it. */
export function ReceiverFields({ value, onChange, error }: ReceiverFieldsProps) {
  const t = useT()
  const channels = useChannels()
  return (
    <Fieldset legend={t('Channels')}>
      <Stack gap="md">
        <Radio.Group
          aria-label={t('Channels')}
          value={value === null ? 'all' : 'some'}
          onChange={(mode) => onChange(mode === 'all' ? null : [])}
        >
          <Stack gap="xs">
            <Radio
              value="all"
              label={t('All channels')}
              description={t('Of the organization, also those that come later')}
            />
            <Radio value="some" label={t('These channels')} />
          </Stack>
        </Radio.Group>
        {value !== null && (
          <MultiSelect
            label={t('These channels')}
            data={channels.map(({ id, name }) => ({ value: id, label: name }))}
            searchable
            value={value}
            error={error}
            onChange={onChange}
          />
        )}
      </Stack>
    </Fieldset>
  )
}
