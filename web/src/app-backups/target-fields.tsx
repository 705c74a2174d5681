import { Select, Stack, TextInput, ThemeIcon } from '@mantine/core'
import { IconDatabaseExport } from '@tabler/icons-react'
import type { AppBackupRegistration } from '../../../src/shared/app-backups.ts'
import type { AppError } from '../../../src/shared/errors.ts'
import { fieldErrors, useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { KindCards } from '../parts/kind-cards.tsx'
import { defaultsOf, SchemaForm, type Settings, textOf } from '../parts/schema-form.tsx'
import { VolumeIcon } from '../volumes/volume-icon.tsx'
import { S3Fields } from './s3-fields.tsx'
import { providerText } from './target-words.ts'

/** A kind of volume, as the API describes it. */
export interface TargetKind {
  name: string
  label: string
  settings: Record<string, unknown>
}

/** Where backups go: a place of its own, or a volume that is there already. */
export type TargetDraft = { kind: string; settings: Settings } | { volumeId: string | null }

export function firstTarget(kinds: TargetKind[], kind = 'local'): TargetDraft {
  return { kind, settings: defaultsOf(kinds.find(({ name }) => name === kind)?.settings ?? {}) }
}

export function targetOf({ kind, settings, volumeId }: AppBackupRegistration): TargetDraft {
  return volumeId === null ? { kind, settings: settings ?? {} } : { volumeId }
}

/** As a request has it. */
export function targetBody(target: TargetDraft): { kind: string; settings: Settings } | { volumeId: string } {
  return 'volumeId' in target ? { volumeId: target.volumeId ?? '' } : target
}

interface TargetFieldsProps {
  kinds: TargetKind[]
  value: TargetDraft
  onChange: (target: TargetDraft) => void
  error: AppError | null
}

export function TargetFields({ kinds, value, onChange, error }: TargetFieldsProps) {
  const t = useT()
  const instance = useAsk('GET /api/v1/instance-settings')
  // There the environment says which folders there are.
  const isManaged = instance.data?.isLocalAppBackupsFromEnvironment === true
  const chosen = 'volumeId' in value ? 'volume' : value.kind
  return (
    <Stack gap="md">
      <KindCards
        label={t('Provider')}
        kinds={[
          ...kinds
            .filter(({ name }) => name !== 'local' || !isManaged)
            .map(({ name, label }) => ({
              name,
              label: providerText(t, { kind: name, kindLabel: label }),
              icon: <VolumeIcon kind={name} />,
            })),
          {
            name: 'volume',
            label: t('A volume that is there'),
            icon: (
              <ThemeIcon variant="light" color="gray" size="lg" aria-hidden>
                <IconDatabaseExport size={20} />
              </ThemeIcon>
            ),
          },
        ]}
        value={chosen}
        onChange={(name) => onChange(name === 'volume' ? { volumeId: null } : firstTarget(kinds, name))}
      />
      {'volumeId' in value ? (
        <VolumeField
          value={value.volumeId}
          error={fieldErrors(error)['volumeId']}
          onChange={(volumeId) => onChange({ volumeId })}
        />
      ) : (
        <SettingsFields
          schema={kinds.find(({ name }) => name === value.kind)?.settings ?? {}}
          kind={value.kind}
          value={value.settings}
          error={error}
          onChange={(settings) => onChange({ kind: value.kind, settings })}
        />
      )}
    </Stack>
  )
}

interface VolumeFieldProps {
  value: string | null
  onChange: (volumeId: string | null) => void
  error: string | undefined
}

function VolumeField({ value, onChange, error }: VolumeFieldProps) {
  const t = useT()
  const { data: volumes = [] } = useAll('GET /api/v1/volumes')
  return (
    <Select
      label={t('Volume')}
      description={t('Backups lie in its folder app-backups')}
      withAsterisk
      searchable
      data={volumes
        .filter(({ isReadOnly }) => !isReadOnly)
        .map(({ id, name }) => ({ value: id, label: name }))}
      value={value}
      error={error}
      onChange={onChange}
    />
  )
}

interface SettingsFieldsProps {
  schema: Record<string, unknown>
  kind: string
  value: Settings
  onChange: (settings: Settings) => void
  error: AppError | null
}

function SettingsFields({ schema, kind, value, onChange, error }: SettingsFieldsProps) {
  const t = useT()
  const errors = fieldErrors(error, 'settings.')
  switch (kind) {
    case 'local':
      return (
        <TextInput
          label={t('File system path for backups')}
          description={t(
            'Of a folder that Holdfast may write; a relative path is one from the data directory',
          )}
          placeholder="app-backups"
          withAsterisk
          autoComplete="off"
          spellCheck={false}
          value={textOf(value, 'path')}
          error={errors['path'] ?? fieldErrors(error)['settings']}
          onChange={({ currentTarget }) => onChange({ ...value, path: currentTarget.value })}
        />
      )
    case 's3':
      return <S3Fields schema={schema} value={value} errors={errors} onChange={onChange} />
    default:
      return <SchemaForm key={kind} schema={schema} value={value} errors={errors} onChange={onChange} />
  }
}
