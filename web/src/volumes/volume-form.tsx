import { NumberInput, Select, SimpleGrid, Stack, Switch, TextInput } from '@mantine/core'
import type { AppError } from '../../../src/shared/errors.ts'
import type { Volume } from '../../../src/shared/volumes.ts'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { SchemaForm } from '../parts/schema-form.tsx'
import { Section } from '../parts/section.tsx'
import { SizeInput } from '../parts/size-input.tsx'

export type VolumeDraft = Pick<
  Volume,
  'name' | 'settings' | 'quota' | 'quotaAction' | 'bandwidth' | 'maxRunning' | 'isReadOnly'
>

interface VolumeFormProps {
  /** Of its kind, as the API describes it. */
  schema: Record<string, unknown>
  draft: VolumeDraft
  onChange: (draft: VolumeDraft) => void
  error: AppError | null
}

/** What a volume is, and its limits. */
export function VolumeForm({ schema, draft, onChange, error }: VolumeFormProps) {
  const t = useT()
  const errors = fieldErrors(error)
  const set = (changes: Partial<VolumeDraft>) => onChange({ ...draft, ...changes })
  return (
    <Stack gap="lg">
      <Section title={t('Place')}>
        <Stack gap="md">
          <TextInput
            label={t('Name')}
            description={t('How the volume is called here')}
            withAsterisk
            maxLength={100}
            autoComplete="off"
            value={draft.name}
            error={errors['name'] ?? (error?.code === 'name_taken' ? error.message : undefined)}
            onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          />
          <SchemaForm
            schema={schema}
            value={draft.settings}
            errors={fieldErrors(error, 'settings.')}
            onChange={(settings) => set({ settings })}
          />
        </Stack>
      </Section>
      <Section title={t('Limits')}>
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <SizeInput
              label={t('Quota')}
              description={t('How much copies may take there')}
              unit="GiB"
              value={draft.quota}
              error={errors['quota']}
              onChange={(quota) => set({ quota })}
            />
            <Select
              label={t('At the quota')}
              description={t('What happens to backups then')}
              data={[
                { value: 'warn', label: t('They are written, with a warning') },
                { value: 'refuse', label: t('They are not written to it') },
              ]}
              allowDeselect={false}
              disabled={draft.quota === null}
              value={draft.quotaAction}
              onChange={(action) => action && set({ quotaAction: action })}
            />
            <SizeInput
              label={t('Bandwidth')}
              description={t('Of all jobs of one node together')}
              unit="MiB"
              isRate
              value={draft.bandwidth}
              error={errors['bandwidth']}
              onChange={(bandwidth) => set({ bandwidth })}
            />
            <NumberInput
              label={t('Jobs at once')}
              description={t('How many may use it at the same time')}
              min={1}
              max={64}
              allowDecimal={false}
              value={draft.maxRunning}
              error={errors['maxRunning']}
              onChange={(maxRunning) => set({ maxRunning: Number(maxRunning) })}
            />
          </SimpleGrid>
          <Switch
            label={t('Read only')}
            description={t('For imports: nothing is written to it and nothing is removed')}
            checked={draft.isReadOnly}
            onChange={({ currentTarget }) => set({ isReadOnly: currentTarget.checked })}
          />
        </Stack>
      </Section>
    </Stack>
  )
}
