import { Code, Stack, Text, TextInput } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { monospace } from '../parts/monospace.ts'
import type { PlanDraft } from './plan-draft.ts'

interface PathFieldsProps {
  path: string
  fileName: string
  onChange: (changes: Partial<PlanDraft>) => void
  errors: Record<string, string>
}

const placeholders = '{organization} {server} {database} {plan} {timestamp} {year} {month} {day} {version}'

/** Where the objects go on the volumes. */
export function PathFields({ path, fileName, onChange, errors }: PathFieldsProps) {
  const t = useT()
  return (
    <Stack gap="md">
      <TextInput
        label={t('Folder')}
        description={t('Below the volume; a single . is no folder at all')}
        styles={monospace}
        spellCheck={false}
        autoComplete="off"
        maxLength={255}
        value={path}
        error={errors['path']}
        onChange={({ currentTarget }) => onChange({ path: currentTarget.value })}
      />
      <TextInput
        label={t('File name')}
        description={t('Without extension, which says how it is packed: .dump.zst.age')}
        styles={monospace}
        spellCheck={false}
        autoComplete="off"
        maxLength={255}
        value={fileName}
        error={errors['fileName']}
        onChange={({ currentTarget }) => onChange({ fileName: currentTarget.value })}
      />
      <Text size="sm">
        {t('These are filled in:')} <Code>{placeholders}</Code>
      </Text>
      <Text size="sm" c="dimmed">
        {t(
          '{version} is that of a release, before which a migration backup is made. A name that is taken gets a number; nothing is overwritten.',
        )}
      </Text>
    </Stack>
  )
}
