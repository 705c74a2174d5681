import { ActionIcon, Button, Group, Input, PasswordInput, Stack, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useT } from '../i18n/i18n.ts'

interface RecordFieldProps {
  label: string
  description: string | undefined
  error: string | undefined
  isSecret: boolean
  isDisabled: boolean
  value: Record<string, string>
  onChange: (value: Record<string, string>) => void
}

/** Names of one's own, each with a value, like the headers of a request. */
export function RecordField({
  label,
  description,
  error,
  isSecret,
  isDisabled,
  value,
  onChange,
}: RecordFieldProps) {
  const t = useT()
  // While they are typed, names may be empty or equal: as a record they would be lost.
  const [rows, setRows] = useState(() => Object.entries(value))
  const [added, setAdded] = useState<number>()
  const change = (changed: [string, string][]) => {
    setRows(changed)
    onChange(Object.fromEntries(changed.filter(([name]) => name !== '')))
  }
  const set = (at: number, row: [string, string]) =>
    change(rows.map((other, index) => (index === at ? row : other)))
  const ValueInput = isSecret ? PasswordInput : TextInput
  return (
    <Input.Wrapper label={label} labelElement="div" description={description} error={error}>
      <Stack gap="xs" mt={4} role="group" aria-label={label}>
        {rows.map(([name, text], index) => (
          <Group key={index} gap="xs" wrap="nowrap">
            <TextInput
              flex={1}
              autoFocus={index === added}
              aria-label={t('Name {{number}}', { number: index + 1 })}
              placeholder={t('Name')}
              autoComplete="off"
              spellCheck={false}
              disabled={isDisabled}
              value={name}
              onChange={({ currentTarget }) => set(index, [currentTarget.value, text])}
            />
            <ValueInput
              flex={2}
              aria-label={t('Value {{number}}', { number: index + 1 })}
              placeholder={t('Value')}
              autoComplete="off"
              disabled={isDisabled}
              value={text}
              onChange={({ currentTarget }) => set(index, [name, currentTarget.value])}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('Remove {{name}}', { name: name || index + 1 })}
              disabled={isDisabled}
              onClick={() => change(rows.filter((_, at) => at !== index))}
            >
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconPlus size={14} aria-hidden />}
            disabled={isDisabled}
            onClick={() => {
              setAdded(rows.length)
              setRows([...rows, ['', '']])
            }}
          >
            {t('Add')}
          </Button>
        </Group>
      </Stack>
    </Input.Wrapper>
  )
}
