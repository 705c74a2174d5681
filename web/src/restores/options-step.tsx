import { Alert, MultiSelect, Paper, Stack, Switch, Text, Textarea, Title } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { defaultsOf, SchemaForm } from '../parts/schema-form.tsx'
import { useEngines } from '../servers/use-engines.ts'
import { KeyFields, useIsKeyAtHand } from './key-fields.tsx'
import { isOfServer, type RestoreDraft } from './restore-draft.ts'

interface OptionsStepProps {
  snapshot: Snapshot
  draft: RestoreDraft
  onChange: (changes: Partial<RestoreDraft>) => void
  errors: Record<string, string>
}

/** What of the snapshot is restored, and how. */
export function OptionsStep({ snapshot, draft, onChange, errors }: OptionsStepProps) {
  const t = useT()
  const isKeyAtHand = useIsKeyAtHand(snapshot.keyId)
  const ofServer = isOfServer(snapshot)
  return (
    <Stack gap="lg">
      {isKeyAtHand === false && (
        <Paper withBorder p="md">
          <Stack>
            <Title order={2} size="h5">
              {t('Key of the snapshot')}
            </Title>
            <KeyFields value={draft.keys} onChange={(keys) => onChange({ keys })} errors={errors} />
          </Stack>
        </Paper>
      )}
      {!ofServer && <TablesChoice snapshot={snapshot} draft={draft} onChange={onChange} errors={errors} />}
      {draft.mode === 'replace' && !ofServer && <ReplaceOptions draft={draft} onChange={onChange} />}
      {draft.mode !== 'existing' && !ofServer && (
        <RunAfterField
          value={draft.runAfter}
          error={errors['runAfter']}
          onChange={(runAfter) => onChange({ runAfter })}
        />
      )}
      <EngineOptions
        engine={snapshot.engine}
        value={draft.options}
        errors={errors}
        onChange={(options) => onChange({ options })}
      />
    </Stack>
  )
}

function TablesChoice({ snapshot, draft, onChange, errors }: OptionsStepProps) {
  const t = useT()
  const contents = useAsk('GET /api/v1/snapshots/{id}/contents', { params: { id: snapshot.id } })
  const tables = contents.data?.tables
  if (!tables || tables.length === 0) return null
  return (
    <MultiSelect
      label={t('Only these tables')}
      description={t(
        'None chosen: everything. A part of a snapshot cannot take the place of a whole database.',
      )}
      placeholder={draft.tables.length === 0 ? t('All tables') : undefined}
      data={tables.map(({ name }) => name)}
      value={draft.tables}
      error={errors['tables']}
      onChange={(tables) => onChange({ tables })}
      limit={200}
      searchable
      clearable
    />
  )
}

interface ReplaceOptionsProps {
  draft: Pick<RestoreDraft, 'safetySnapshot' | 'endSessions'>
  onChange: (changes: Partial<Pick<RestoreDraft, 'safetySnapshot' | 'endSessions'>>) => void
}

/** What happens to a database that is replaced, and to those who use it. */
export function ReplaceOptions({ draft: { safetySnapshot, endSessions }, onChange }: ReplaceOptionsProps) {
  const t = useT()
  return (
    <Stack gap="sm">
      <Switch
        label={t('Take a safety snapshot first')}
        description={t('The way back: with it the restore can be undone for some days.')}
        checked={safetySnapshot}
        onChange={({ currentTarget }) => onChange({ safetySnapshot: currentTarget.checked })}
      />
      {!safetySnapshot && (
        <Alert color="orange" variant="light" icon={<IconAlertTriangle aria-hidden />}>
          <Text size="sm">{t('Without it, what is in the database now is gone for good.')}</Text>
        </Alert>
      )}
      <Switch
        label={t('End other people’s sessions')}
        description={t('Else the restore fails while somebody uses the database.')}
        checked={endSessions}
        onChange={({ currentTarget }) => onChange({ endSessions: currentTarget.checked })}
      />
    </Stack>
  )
}

interface RunAfterFieldProps {
  value: string
  onChange: (sql: string) => void
  error: string | undefined
}

/** SQL that runs before the restored database takes its name. */
export function RunAfterField({ value, onChange, error }: RunAfterFieldProps) {
  const t = useT()
  return (
    <Textarea
      label={t('SQL that runs after')}
      description={t(
        'In the restored database, before it takes its name: to mask personal data, for instance. If it fails, so does the restore. It is kept and shown: no place for passwords.',
      )}
      placeholder="update users set email = 'user' || id || '@example.com'"
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      autosize
      minRows={3}
      maxRows={14}
      spellCheck={false}
      value={value}
      error={error}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  )
}

interface EngineOptionsProps {
  engine: string
  value: RestoreDraft['options']
  onChange: (options: RestoreDraft['options']) => void
  errors: Record<string, string>
  /** Tables are typed here, where there is no snapshot to choose them from. */
  withTables?: boolean
}

/** What the engine lets one choose. */
export function EngineOptions({ engine, value, onChange, errors, withTables = false }: EngineOptionsProps) {
  const t = useT()
  const engines = useEngines()
  return (
    <Asked question={engines}>
      {({ items }) => {
        const found = items.find(({ name }) => name === engine)
        const { tables, ...others } = (found?.restoreOptions['properties'] ?? {}) as Record<string, unknown>
        const properties = withTables && tables !== undefined ? { ...others, tables } : others
        if (!found || Object.keys(properties).length === 0) return null
        const schema = { ...found.restoreOptions, properties, required: [] }
        return (
          <Paper withBorder p="md">
            <Stack>
              <Title order={2} size="h5">
                {t('Options of {{engine}}', { engine: found.label })}
              </Title>
              <SchemaForm
                schema={schema}
                value={{ ...defaultsOf(schema), ...value }}
                errors={withoutPrefix(errors, 'options.')}
                onChange={onChange}
              />
            </Stack>
          </Paper>
        )
      }}
    </Asked>
  )
}

function withoutPrefix(errors: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).flatMap(([field, message]) =>
      field.startsWith(prefix) ? [[field.slice(prefix.length), message]] : [],
    ),
  )
}
