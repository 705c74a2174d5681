import { Group, Input, NumberInput, SegmentedControl, Stack, Text } from '@mantine/core'
import type { Compression } from '../../../src/shared/codecs.ts'
import { msg, type Translate, useT } from '../i18n/i18n.ts'

const about: Record<Compression['method'], string> = {
  zstd: msg('Small and fast. What nearly everybody wants.'),
  gzip: msg('Slower and larger, and read by everything.'),
  none: msg('For what is compressed already.'),
}

const first: Record<Compression['method'], Compression> = {
  zstd: { method: 'zstd', level: 3, threads: 1 },
  gzip: { method: 'gzip', level: 6 },
  none: { method: 'none' },
}

interface CompressionFieldsProps {
  value: Compression
  onChange: (compression: Compression) => void
  error?: string | undefined
  isDisabled?: boolean
}

/** How a dump is made smaller. */
export function CompressionFields({ value, onChange, error, isDisabled = false }: CompressionFieldsProps) {
  const t = useT()
  return (
    <Stack gap="xs">
      <Input.Label labelElement="div" id="compression">
        {t('Compression')}
      </Input.Label>
      <Group gap="md" align="flex-end">
        <SegmentedControl
          aria-labelledby="compression"
          data={[
            { value: 'zstd', label: 'zstd' },
            { value: 'gzip', label: 'gzip' },
            { value: 'none', label: t('none') },
          ]}
          value={value.method}
          disabled={isDisabled}
          onChange={(method) => onChange(first[method])}
        />
        {value.method !== 'none' && (
          <NumberInput
            label={t('Level')}
            w={110}
            min={1}
            max={value.method === 'zstd' ? 19 : 9}
            allowDecimal={false}
            disabled={isDisabled}
            value={value.level}
            onChange={(level) => onChange({ ...value, level: Number(level) })}
          />
        )}
        {value.method === 'zstd' && (
          <NumberInput
            label={t('Threads (0: all cores)')}
            w={180}
            min={0}
            max={256}
            allowDecimal={false}
            disabled={isDisabled}
            value={value.threads}
            onChange={(threads) => onChange({ ...value, threads: Number(threads) })}
          />
        )}
      </Group>
      <Text size="xs" c="dimmed">
        {t(about[value.method])}
      </Text>
      {error !== undefined && (
        <Text size="xs" c="red">
          {error}
        </Text>
      )}
    </Stack>
  )
}

/** `zstd, level 3`. */
export function compressionText(t: Translate, compression: Compression): string {
  switch (compression.method) {
    case 'none':
      return t('none')
    case 'gzip':
      return t('gzip, level {{level}}', compression)
    case 'zstd':
      return compression.threads === 0
        ? t('zstd, level {{level}}, all cores', compression)
        : t('zstd, level {{level}}, threads: {{threads}}', compression)
    default: {
      const never: never = compression
      return never
    }
  }
}
