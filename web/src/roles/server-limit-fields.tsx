import { Input, SegmentedControl, Stack, TagsInput, Text } from '@mantine/core'
import type { ServerLimit } from '../../../src/shared/roles.ts'
import { useT } from '../i18n/i18n.ts'
import { RecordField } from '../parts/record-field.tsx'

interface ServerLimitFieldsProps {
  limit: ServerLimit | null
  errors: Record<string, string>
  onChange: (limit: ServerLimit | null) => void
}

/** All servers, or those with certain names and labels. */
export function ServerLimitFields({ limit, errors, onChange }: ServerLimitFieldsProps) {
  const t = useT()
  const error = errors['servers'] ?? Object.entries(errors).find(([name]) => name.startsWith('servers.'))?.[1]
  const set = ({ names, labels }: ServerLimit) =>
    onChange({
      ...(names && names.length > 0 && { names }),
      ...(labels && Object.keys(labels).length > 0 && { labels }),
    })
  return (
    <Stack gap="sm">
      <Input.Wrapper label={t('On which servers')} labelElement="div">
        <SegmentedControl
          fullWidth
          aria-label={t('On which servers')}
          value={limit === null ? 'all' : 'some'}
          onChange={(chosen) => onChange(chosen === 'all' ? null : {})}
          data={[
            { value: 'all', label: t('All servers') },
            { value: 'some', label: t('Some servers') },
          ]}
        />
      </Input.Wrapper>
      {limit !== null && (
        <>
          <Text size="sm" c="dimmed">
            {t('Whoever has it sees no other server, nor its plans, snapshots and jobs.')}
          </Text>
          <TagsInput
            label={t('Names')}
            description={t(
              'Patterns, like team-a-*. A * is anything, a ? any one character. One of them must fit.',
            )}
            placeholder={t('Type, then press Enter')}
            splitChars={[',', ' ']}
            acceptValueOnBlur
            value={limit.names ?? []}
            error={error}
            onChange={(names) => set({ ...limit, names })}
          />
          <RecordField
            label={t('Labels')}
            description={t('A server must have all of them.')}
            error={undefined}
            isSecret={false}
            isDisabled={false}
            value={limit.labels ?? {}}
            onChange={(labels) => set({ ...limit, labels })}
          />
        </>
      )}
    </Stack>
  )
}
