import { Accordion, Button, Group, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import { fieldErrors, useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { errorOf, errorsBelow } from '../parts/field-errors.ts'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { DatabaseFields } from './database-fields.tsx'
import { moreFields, MorePlanFields } from './more-plan-fields.tsx'
import type { PlanDraft } from './plan-draft.ts'
import { RetentionFields } from './retention-fields.tsx'
import { RetentionTrial } from './retention-preview.tsx'
import { ScheduleChoice } from './schedule-choice.tsx'
import { VolumeFields } from './volume-fields.tsx'

interface PlanFormProps {
  draft: PlanDraft
  onChange: (draft: PlanDraft) => void
  /** Of a plan that is there: it stays with its server, and what another retention means can be seen. */
  planId?: string
  error: AppError | null
  isPending: boolean
  isDisabled?: boolean
  onSave: () => void
  /** The verb: “Add plan”. */
  action: string
  cancelTo: string
}

/** All that a plan says: what is usual first, the rest behind “More”. */
export function PlanForm(props: PlanFormProps) {
  const { draft, onChange, planId, error, isPending, isDisabled = false, onSave, action, cancelTo } = props
  const t = useT()
  const servers = useAll('GET /api/v1/servers')
  const [isRetentionSeen, setRetentionSeen] = useState(false)
  const errors = fieldErrors(error)
  const set = (changes: Partial<PlanDraft>) => onChange({ ...draft, ...changes })
  const hasServer = draft.serverId !== ''
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSave()
      }}
    >
      <Stack gap="lg" maw={860}>
        <Section title={t('What is backed up')}>
          {planId === undefined && (
            <Select
              label={t('Server')}
              data={servers.data?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
              value={draft.serverId || null}
              error={errors['serverId']}
              withAsterisk
              searchable
              allowDeselect={false}
              nothingFoundMessage={t('Nothing was found')}
              onChange={(serverId) => serverId && set({ serverId, dumpOptions: {} })}
            />
          )}
          <TextInput
            label={t('Name')}
            placeholder={planId === undefined ? t('The server’s name and the schedule’s') : undefined}
            maxLength={100}
            withAsterisk={planId !== undefined}
            autoComplete="off"
            value={draft.name}
            error={errors['name']}
            onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          />
          {hasServer && (
            <DatabaseFields
              serverId={draft.serverId}
              databases={draft.databases}
              excluded={draft.excludedDatabases}
              onDatabases={(databases) => set({ databases })}
              onExcluded={(excludedDatabases) => set({ excludedDatabases })}
              errors={errors}
            />
          )}
        </Section>
        <Section title={t('When')}>
          <ScheduleChoice
            value={draft.schedules}
            isEnabled={draft.isEnabled}
            error={errorOf(errors, 'schedules')}
            onChange={(schedules) => set({ schedules })}
            onEnabled={(isEnabled) => set({ isEnabled })}
          />
        </Section>
        <Section title={t('Where')}>
          <VolumeFields
            value={draft.volumes}
            retention={draft.retention}
            errors={errorsBelow(errors, 'volumes')}
            onChange={(volumes) => set({ volumes })}
          />
        </Section>
        <Section title={t('How long')}>
          <RetentionFields
            value={draft.retention}
            errors={errorsBelow(errors, 'retention')}
            onChange={(retention) => set({ retention })}
          />
          {planId !== undefined && (
            <Accordion
              variant="contained"
              order={3}
              value={isRetentionSeen ? 'preview' : null}
              onChange={(opened) => setRetentionSeen(opened !== null)}
            >
              <Accordion.Item value="preview">
                <Accordion.Control>{t('See what would go and what would stay')}</Accordion.Control>
                <Accordion.Panel>
                  {isRetentionSeen && <RetentionTrial planId={planId} draft={draft} />}
                </Accordion.Panel>
              </Accordion.Item>
            </Accordion>
          )}
        </Section>
        <MorePlanFields draft={draft} onChange={set} errors={errors} />
        <FailedForm error={error} shown={shownFields} />
        <Group gap="sm">
          <Button type="submit" loading={isPending} disabled={isDisabled || !hasServer}>
            {action}
          </Button>
          <Button variant="default" component={LinkTo} to={cancelTo}>
            {t('Cancel')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** What is wrong with these is said at their fields. */
const shownFields = [
  'serverId',
  'name',
  'databases',
  'excludedDatabases',
  'schedules',
  'volumes',
  'retention',
  ...moreFields,
]
