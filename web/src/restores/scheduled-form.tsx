import { Button, Group, Stack, TextInput } from '@mantine/core'
import type { AppError } from '../../../src/shared/errors.ts'
import { fieldErrors, useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { shortName } from '../parts/database-name.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { EngineOptions, ReplaceOptions, RunAfterField } from './options-step.tsx'
import type { ScheduledDraft } from './scheduled-draft.ts'
import { Source } from './scheduled-source.tsx'
import { Target } from './scheduled-target.tsx'
import { When } from './scheduled-when.tsx'

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
