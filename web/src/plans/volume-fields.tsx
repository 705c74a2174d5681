import { MultiSelect, Paper, Stack, Switch } from '@mantine/core'
import type { PlanVolume } from '../../../src/shared/plans.ts'
import type { RetentionPolicy } from '../../../src/shared/retention.ts'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { errorOf, errorsBelow } from '../parts/field-errors.ts'
import { RetentionFields } from './retention-fields.tsx'

interface VolumeFieldsProps {
  value: PlanVolume[]
  /** The plan’s, from which one of a volume’s own begins. */
  retention: RetentionPolicy
  onChange: (volumes: PlanVolume[]) => void
  /** `0.id`, `0.retention.daily` …; nothing: of all of them. */
  errors: Record<string, string>
}

/** To which volumes a plan writes, and where snapshots are kept longer or shorter. */
export function VolumeFields({ value, retention, onChange, errors }: VolumeFieldsProps) {
  const t = useT()
  const volumes = useAll('GET /api/v1/volumes')
  const wrongId = Object.entries(errors).find(([field]) => /^\d+(\.id)?$/.test(field))?.[1]
  return (
    <Stack gap="md">
      <MultiSelect
        label={t('Volumes')}
        description={t('Each backup is written to all of them at once')}
        data={
          volumes.data?.map(({ id, name, isReadOnly }) => ({
            value: id,
            label: name,
            disabled: isReadOnly,
          })) ?? []
        }
        value={value.map(({ id }) => id)}
        error={errors[''] ?? wrongId}
        withAsterisk
        hidePickedOptions
        onChange={(ids) => onChange(ids.map((id) => value.find((volume) => volume.id === id) ?? { id }))}
      />
      {value.map((volume, index) => {
        const name = volumes.data?.find(({ id }) => id === volume.id)?.name ?? '…'
        const change = (own: RetentionPolicy | undefined) =>
          onChange(
            value.map((one) => (one === volume ? { id: one.id, ...(own && { retention: own }) } : one)),
          )
        return (
          <Paper key={volume.id} withBorder p="sm">
            <Stack gap="md">
              <Switch
                label={t('Another retention on “{{name}}”', { name })}
                checked={volume.retention !== undefined}
                error={volume.retention === undefined ? errorOf(errors, `${index}.retention`) : undefined}
                onChange={({ currentTarget }) => change(currentTarget.checked ? retention : undefined)}
              />
              {volume.retention && (
                <RetentionFields
                  value={volume.retention}
                  errors={errorsBelow(errors, `${index}.retention`)}
                  onChange={change}
                />
              )}
            </Stack>
          </Paper>
        )
      })}
    </Stack>
  )
}
