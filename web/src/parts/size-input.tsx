import { Group, NativeSelect, NumberInput, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useT } from '../i18n/i18n.ts'

const units = ['KiB', 'MiB', 'GiB', 'TiB'] as const
type Unit = (typeof units)[number]

interface SizeInputProps {
  label: string
  description?: string
  /** In bytes; null: no limit. */
  value: number | null
  onChange: (bytes: number | null) => void
  /** What it is if nobody has given any. */
  unit: Unit
  /** Bytes per second. */
  isRate?: boolean
  error?: string | undefined
}

/** So many bytes, in a unit that people read. */
export function SizeInput({
  label,
  description,
  value,
  onChange,
  unit,
  isRate = false,
  error,
}: SizeInputProps) {
  const t = useT()
  const [chosen, setChosen] = useState<Unit>(() => (value === null ? unit : unitOf(value)))
  const amount = value === null ? '' : Number((value / factorOf(chosen)).toFixed(3))
  return (
    <Stack gap={4}>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <NumberInput
          flex={1}
          label={label}
          description={description}
          placeholder={t('No limit')}
          min={0}
          decimalScale={3}
          value={amount}
          error={error !== undefined}
          onChange={(given) =>
            onChange(given === '' || given === '-' ? null : Math.round(Number(given) * factorOf(chosen)))
          }
        />
        <NativeSelect
          w={100}
          aria-label={t('Unit of “{{name}}”', { name: label })}
          data={units.map((one) => ({ value: one, label: isRate ? `${one}/s` : one }))}
          value={chosen}
          onChange={({ currentTarget }) => {
            const next = currentTarget.value as Unit
            setChosen(next)
            if (amount !== '') onChange(Math.round(amount * factorOf(next)))
          }}
        />
      </Group>
      {error !== undefined && (
        <Text size="xs" c="red">
          {error}
        </Text>
      )}
    </Stack>
  )
}

function factorOf(unit: Unit): number {
  return 1024 ** (units.indexOf(unit) + 1)
}

/** The largest of which there is at least one. */
function unitOf(bytes: number): Unit {
  return units.findLast((unit) => bytes >= factorOf(unit)) ?? 'KiB'
}
