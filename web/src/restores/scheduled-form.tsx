import {
  Autocomplete,
  Button,
  Group,
  NumberInput,
  Radio,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core'
import type { ReactNode } from 'react'
import { restoreModes as modeNames } from '../../../src/shared/restores.ts'
import type { AppError } from '../../../src/shared/errors.ts'
import { fieldErrors, useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { shortName } from '../parts/database-name.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { ScheduleFields } from '../schedules/schedule-fields.tsx'
import { EngineOptions, ReplaceOptions, RunAfterField } from './options-step.tsx'
import { restoreModes } from './restore-modes.ts'
import { NEW_SCHEDULE, type ScheduledDraft } from './scheduled-draft.ts'

interface ScheduledFormProps {
  draft: ScheduledDraft
  onChange: (draft: ScheduledDraft) => void
  onSave: () => void
  /** The verb on the button. */
  action: string
  /** To where one goes without saving. */
  back: string
  isSaving: boolean
  isReady: boolean
  error: AppError | null
  /** Of the schedule that is made together with it. */
  scheduleError: AppError | null
}

const shownFields = [
  'name',
  'sourceServerId',
  'sourceDatabase',
  'planId',
  'targetServerId',
  'targetDatabase',
  'scheduleId',
  'mode',
  'options',
  'runAfter',
  'newestWithinHours',
  'confirmation',
]

/** Everything that a restore which repeats is made of. */
export function ScheduledForm({
  draft,
  onChange,
  onSave,
  action,
  back,
  isSaving,
  isReady,
  error,
  scheduleError,
}: ScheduledFormProps) {
  const t = useT()
  const servers = useAll('GET /api/v1/servers')
  const errors = fieldErrors(error)
  const change = (changes: Partial<ScheduledDraft>) => onChange({ ...draft, ...changes })
  const target = servers.data?.find(({ id }) => id === draft.targetServerId)
  const source = servers.data?.find(({ id }) => id === draft.sourceServerId)
  const parts = { draft, change, errors }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSave()
      }}
    >
      <Stack gap="lg" maw={860}>
        <Section title={t('What is restored')}>
          <TextInput
            label={t('Name')}
            withAsterisk
            value={draft.name}
            error={errors['name']}
            onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          />
          <Source {...parts} servers={servers.data ?? []} />
        </Section>
        <Section title={t('Where it goes')}>
          <Target
            {...parts}
            servers={(servers.data ?? []).filter(({ engine }) => !source || engine === source.engine)}
          />
        </Section>
        <Section title={t('When')}>
          <When {...parts} scheduleErrors={fieldErrors(scheduleError)} />
        </Section>
        <Section title={t('How')}>
          {draft.mode === 'replace' && <ReplaceOptions draft={draft} onChange={change} />}
          {draft.mode !== 'existing' && (
            <RunAfterField
              value={draft.runAfter}
              error={errors['runAfter']}
              onChange={(runAfter) => change({ runAfter })}
            />
          )}
          {target && (
            <EngineOptions
              engine={target.engine}
              value={draft.options}
              errors={errors}
              withTables
              onChange={(options) => change({ options })}
            />
          )}
        </Section>
        {target?.isProduction && draft.mode !== 'new' && draft.targetDatabase !== '' && (
          <TextInput
            label={t('Type “{{name}}” to go on', { name: shortName(draft.targetDatabase) })}
            description={t(
              'The server “{{server}}” is in production, and this database is changed again and again.',
              {
                server: target.name,
              },
            )}
            autoComplete="off"
            spellCheck={false}
            value={draft.confirmation}
            error={errors['confirmation']}
            onChange={({ currentTarget }) => change({ confirmation: currentTarget.value })}
          />
        )}
        <FailedForm error={error} shown={shownFields} />
        <FailedForm error={scheduleError} shown={['name']} />
        <Group gap="sm">
          <Button type="submit" loading={isSaving} disabled={!isReady}>
            {action}
          </Button>
          <Button variant="default" component={LinkTo} to={back}>
            {t('Cancel')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface PartProps {
  draft: ScheduledDraft
  change: (changes: Partial<ScheduledDraft>) => void
  errors: Record<string, string>
}

interface ServersProps extends PartProps {
  servers: readonly { id: string; name: string; engine: string; isProtected: boolean }[]
}

function Source({ draft, change, errors, servers }: ServersProps) {
  const t = useT()
  const plans = useAll('GET /api/v1/plans')
  const { sourceServerId, sourceDatabase, planId } = draft
  const ofServer = (plans.data ?? []).filter(({ serverId }) => serverId === sourceServerId)
  return (
    <>
      <Select
        label={t('Server')}
        withAsterisk
        data={servers.map(({ id, name }) => ({ value: id, label: name }))}
        value={sourceServerId}
        error={errors['sourceServerId']}
        searchable
        onChange={(id) => change({ sourceServerId: id, planId: null })}
      />
      <DatabaseField
        serverId={sourceServerId}
        label={t('Database')}
        value={sourceDatabase}
        error={errors['sourceDatabase']}
        onChange={(name) => change({ sourceDatabase: name })}
      />
      <Select
        label={t('Only snapshots of the plan')}
        placeholder={t('Of any plan, or none')}
        data={ofServer.map(({ id, name }) => ({ value: id, label: name }))}
        value={planId}
        error={errors['planId']}
        clearable
        onChange={(planId) => change({ planId })}
      />
      <NumberInput
        label={t('Not older than')}
        description={t('In hours. If the newest snapshot is older, nothing is restored.')}
        min={1}
        max={8784}
        allowDecimal={false}
        styles={{ wrapper: { maxWidth: 220 } }}
        value={draft.newestWithinHours}
        error={errors['newestWithinHours']}
        onChange={(hours) => change({ newestWithinHours: hours === '' ? '' : Number(hours) })}
      />
      <Switch
        label={t('Leave out a snapshot that was restored before')}
        description={t('By hand it is restored again all the same.')}
        checked={draft.skipUnchanged}
        onChange={({ currentTarget }) => change({ skipUnchanged: currentTarget.checked })}
      />
    </>
  )
}

function Target({ draft, change, errors, servers }: ServersProps) {
  const t = useT()
  return (
    <>
      <Select
        label={t('Target server')}
        description={t('Of the same engine. Protected servers cannot be chosen.')}
        withAsterisk
        data={servers.map(({ id, name, isProtected }) => ({
          value: id,
          label: isProtected ? t('{{name}} (protected)', { name }) : name,
          disabled: isProtected,
        }))}
        value={draft.targetServerId}
        error={errors['targetServerId']}
        searchable
        onChange={(id) => change({ targetServerId: id, confirmation: '' })}
      />
      <Radio.Group
        label={t('Mode')}
        value={draft.mode}
        error={errors['mode']}
        onChange={(mode) => change({ mode })}
      >
        <Stack gap="sm" mt="xs">
          {modeNames.map((name) => (
            <Radio
              key={name}
              value={name}
              label={t(restoreModes[name].title)}
              description={t(restoreModes[name].about)}
            />
          ))}
        </Stack>
      </Radio.Group>
      <DatabaseField
        serverId={draft.targetServerId}
        label={t('Target database')}
        value={draft.targetDatabase}
        error={errors['targetDatabase']}
        onChange={(name) => change({ targetDatabase: name, confirmation: '' })}
      />
    </>
  )
}

interface DatabaseFieldProps {
  serverId: string | null
  label: string
  value: string
  error: string | undefined
  onChange: (name: string) => void
}

function DatabaseField({ serverId, ...rest }: DatabaseFieldProps) {
  if (serverId === null) return <Autocomplete {...rest} withAsterisk disabled />
  return <DatabaseOf serverId={serverId} {...rest} />
}

/** The names that the server lists now; others may be typed. */
function DatabaseOf({ serverId, ...rest }: DatabaseFieldProps & { serverId: string }) {
  const t = useT()
  const databases = useAsk('GET /api/v1/servers/{id}/databases', { params: { id: serverId } })
  const note: ReactNode = databases.error ? t('The server does not say which databases it has.') : undefined
  return <Autocomplete {...rest} withAsterisk description={note} data={databases.data?.items ?? []} />
}

function When({
  draft,
  change,
  errors,
  scheduleErrors,
}: PartProps & { scheduleErrors: Record<string, string> }) {
  const t = useT()
  const may = useMay()
  const schedules = useAll('GET /api/v1/schedules')
  const { scheduleId, newSchedule } = draft
  const all = (schedules.data ?? []).map(({ id, name }) => ({ value: id, label: name }))
  return (
    <>
      <Select
        label={t('Schedule')}
        data={[
          { value: '', label: t('By hand only') },
          ...all,
          ...(may('manage-schedules') ? [{ value: NEW_SCHEDULE, label: t('A new schedule …') }] : []),
        ]}
        value={scheduleId ?? ''}
        error={errors['scheduleId']}
        allowDeselect={false}
        onChange={(id) => change({ scheduleId: id || null })}
      />
      {scheduleId === NEW_SCHEDULE && (
        <>
          <TextInput
            label={t('Name of the schedule')}
            withAsterisk
            value={newSchedule.name}
            error={scheduleErrors['name']}
            onChange={({ currentTarget }) =>
              change({ newSchedule: { ...newSchedule, name: currentTarget.value } })
            }
          />
          <ScheduleFields
            value={newSchedule.rule}
            onChange={(rule) => change({ newSchedule: { ...newSchedule, rule } })}
          />
        </>
      )}
      {scheduleId !== null && scheduleId !== NEW_SCHEDULE && (
        <Text size="sm" c="dimmed">
          {schedules.data?.find(({ id }) => id === scheduleId)?.description}
        </Text>
      )}
      <Switch
        label={t('Enabled')}
        description={t('A disabled one still runs by hand.')}
        checked={draft.isEnabled}
        onChange={({ currentTarget }) => change({ isEnabled: currentTarget.checked })}
      />
    </>
  )
}
