import {
  Button,
  Collapse,
  Group,
  NumberInput,
  Radio,
  Select,
  SimpleGrid,
  Stack,
  TextInput,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { type Hook, hookMoments, type NewHook } from '../../../src/shared/hooks.ts'
import { fieldErrors, useAll, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Failed } from '../parts/failed.tsx'
import { KindCards } from '../parts/kind-cards.tsx'
import { defaultsOf, SchemaForm } from '../parts/schema-form.tsx'
import { HookIcon } from './hook-icon.tsx'
import { failuresOf, failureWords, moments } from './hook-words.ts'
import { Variables } from './variables.tsx'

interface HookFormProps {
  kinds: { name: string; label: string; settings: Record<string, unknown> }[]
  saved?: { hook: Hook; etag: string | undefined }
  onDirty: () => void
  onSaved: () => void
}

const FIRST: NewHook = {
  name: '',
  kind: 'http',
  around: 'backup',
  moment: 'after',
  planId: null,
  settings: {},
  onFailure: 'warn',
  timeoutSeconds: 600,
  isEnabled: true,
  position: 0,
}

export function HookForm({ kinds, saved, onDirty, onSaved }: HookFormProps) {
  const t = useT()
  const mayScript = useMay()('administer-instance')
  const [first] = useState(saved)
  const [draft, setDraft] = useState<NewHook>(() => first?.hook ?? firstOf(kinds))
  const [areVariablesShown, variables] = useDisclosure(false)
  const add = useChange('POST /api/v1/hooks', { onSuccess: onSaved })
  const save = useChange('PATCH /api/v1/hooks/{id}', { onSuccess: onSaved })
  const error = add.error ?? save.error
  const errors = fieldErrors(error)
  const schema = kinds.find(({ name }) => name === draft.kind)?.settings ?? {}
  const set = (changes: Partial<NewHook>) => {
    onDirty()
    setDraft({ ...draft, ...changes })
  }
  const submit = () => {
    if (!first) return add.mutate({ body: draft })
    const { name, moment, settings, onFailure, timeoutSeconds, position } = draft
    const ifMatch = first.etag === undefined ? {} : { ifMatch: first.etag }
    const body = { name, moment, settings, onFailure, timeoutSeconds, position }
    return save.mutate({ params: { id: first.hook.id }, body, ...ifMatch })
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Stack gap="lg">
        {!first && (
          <KindCards
            label={t('What it does')}
            kinds={kinds
              .filter(({ name }) => name !== 'script' || mayScript)
              .map(({ name, label }) => ({ name, label: t(label), icon: <HookIcon kind={name} /> }))}
            value={draft.kind}
            onChange={(kind) => set({ ...firstOf(kinds, kind), name: draft.name })}
          />
        )}
        <TextInput
          label={t('Name')}
          withAsterisk
          maxLength={100}
          autoComplete="off"
          value={draft.name}
          error={errors['name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <WhenFields draft={draft} isNew={!first} set={set} errors={errors} />
        <SchemaForm
          key={draft.kind}
          schema={schema}
          value={draft.settings}
          errors={fieldErrors(error, 'settings.')}
          onChange={(settings) => set({ settings })}
        />
        <Stack gap="xs">
          <Group>
            <Button
              variant="subtle"
              size="compact-sm"
              aria-expanded={areVariablesShown}
              onClick={variables.toggle}
            >
              {t('What it gets to know')}
            </Button>
          </Group>
          <Collapse expanded={areVariablesShown} keepMounted={false}>
            <Variables around={draft.around} isHook />
          </Collapse>
        </Stack>
        <Radio.Group
          label={t('If the hook fails')}
          value={draft.onFailure}
          error={errors['onFailure']}
          onChange={(onFailure) => set({ onFailure })}
        >
          <Stack gap="xs" mt="xs">
            {failuresOf(draft.moment).map((failure) => (
              <Radio key={failure} value={failure} label={t(failureWords(failure, draft))} />
            ))}
          </Stack>
        </Radio.Group>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <NumberInput
            label={t('Longest run')}
            description={t('A hook that takes longer is ended, and has failed')}
            suffix={` ${t('seconds')}`}
            min={1}
            max={86_400}
            allowDecimal={false}
            value={draft.timeoutSeconds}
            error={errors['timeoutSeconds']}
            onChange={(given) => set({ timeoutSeconds: Number(given) })}
          />
          <NumberInput
            label={t('Position')}
            description={t('Hooks of one moment run in this order')}
            min={0}
            allowDecimal={false}
            value={draft.position}
            error={errors['position']}
            onChange={(given) => set({ position: Number(given) })}
          />
        </SimpleGrid>
        {error && <Failed error={error} />}
        <Group>
          <Button type="submit" loading={add.isPending || save.isPending}>
            {first ? t('Save') : t('Add hook')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface WhenFieldsProps {
  draft: NewHook
  /** What it is around, and its plan, never change. */
  isNew: boolean
  set: (changes: Partial<NewHook>) => void
  errors: Record<string, string>
}

function WhenFields({ draft: { around, moment, onFailure, planId }, isNew, set, errors }: WhenFieldsProps) {
  const t = useT()
  const plans = useAll('GET /api/v1/plans')
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Select
          label={t('Around')}
          data={[
            { value: 'backup', label: t('Backups') },
            { value: 'restore', label: t('Restores') },
          ]}
          allowDeselect={false}
          disabled={!isNew}
          value={around}
          onChange={(around) => around && set({ around, planId: null })}
        />
        <Select
          label={t('When')}
          data={hookMoments.map((one) => ({ value: one, label: t(moments[around][one]) }))}
          allowDeselect={false}
          value={moment}
          error={errors['moment']}
          onChange={(chosen) => {
            const next = chosen as Hook['moment']
            set({ moment: next, onFailure: failuresOf(next).includes(onFailure) ? onFailure : 'warn' })
          }}
        />
      </SimpleGrid>
      {around === 'backup' && (
        <Select
          label={t('Of which plan')}
          description={t('A hook of a plan is deleted with it')}
          data={(plans.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          placeholder={t('All plans of the organization')}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('Clear') }}
          disabled={!isNew}
          value={planId}
          error={errors['planId']}
          onChange={(planId) => set({ planId })}
        />
      )}
    </>
  )
}

function firstOf(kinds: HookFormProps['kinds'], kind = FIRST.kind): NewHook {
  return { ...FIRST, kind, settings: defaultsOf(kinds.find(({ name }) => name === kind)?.settings ?? {}) }
}
