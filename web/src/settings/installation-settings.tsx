import { NumberInput, SimpleGrid, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import {
  DEFAULT_INSTANCE_SETTINGS,
  type InstanceSettingsChanges,
  instanceSettingsChanges,
} from '../../../src/shared/instance-settings.ts'
import { fieldErrors, useChange } from '../api.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { numberText } from '../parts/bytes.tsx'
import { SaveBar } from '../parts/save-bar.tsx'
import { Section } from '../parts/section.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { useDraft } from '../use-draft.ts'

/** What applies to all organizations of this installation, and has no page of its own. */
export function InstallationSettings() {
  const t = useT()
  const saved = useSaved('GET /api/v1/instance-settings')
  return (
    <Section
      title={t('The installation')}
      about={t('For all organizations. Only who administers the installation sees this.')}
    >
      <Asked question={saved} lines={2}>
        {(answer) => <InstallationForm saved={answer} reload={async () => (await saved.refetch()).data} />}
      </Asked>
    </Section>
  )
}

const fields = [
  {
    name: 'sessionDays',
    title: msg('Stay signed in'),
    help: msg('So long somebody who does nothing stays signed in.'),
  },
  {
    name: 'longestSessionDays',
    title: msg('Sign in anew'),
    help: msg('After so long everybody signs in again, whatever they do. 0: never.'),
  },
  {
    name: 'auditDays',
    title: msg('Audit log'),
    help: msg('How long its entries are kept: 30 days or more. 0: for ever.'),
  },
] as const

interface InstallationFormProps {
  saved: Saved<'GET /api/v1/instance-settings'>
  reload: () => Promise<Saved<'GET /api/v1/instance-settings'> | undefined>
}

function InstallationForm({ saved, reload }: InstallationFormProps) {
  const t = useT()
  const language = useLanguage()
  const draft = useDraft(saved)
  const { base, changes } = draft
  const save = useChange('PATCH /api/v1/instance-settings', {
    onSuccess: (answer) => {
      draft.restart(answer)
      notifications.show({ message: t('The settings are saved'), color: 'green' })
    },
  })
  const faults = instanceSettingsChanges.safeParse(changes).error?.issues ?? []
  const errors = {
    ...fieldErrors(save.error),
    ...Object.fromEntries(faults.map(({ path, message }) => [String(path[0]), message])),
  }
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        {fields.map(({ name, title, help }) => {
          const standard = DEFAULT_INSTANCE_SETTINGS[name]
          const value = name in changes ? (changes[name] ?? standard) : base[name]
          return (
            <NumberInput
              key={name}
              label={t(title)}
              description={t('{{help}} Default: {{value}}', {
                help: t(help),
                value: t('{{number}} {{unit}}', { number: numberText(standard, language), unit: t('days') }),
              })}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              min={0}
              allowDecimal={false}
              suffix={` ${t('days')}`}
              value={Number(value)}
              error={errors[name]}
              onChange={(given) => draft.change(name, given === '' || given === '-' ? null : Number(given))}
            />
          )
        })}
      </SimpleGrid>
      <SaveBar
        isDirty={draft.isDirty}
        isPending={save.isPending}
        error={save.error}
        onSave={() => save.mutate({ body: changes as InstanceSettingsChanges, ...draft.ifMatch })}
        onDiscard={() => {
          draft.discard()
          save.reset()
        }}
        onReload={async () => {
          const answer = await reload()
          if (answer) draft.rebase(answer)
          save.reset()
        }}
      />
    </Stack>
  )
}
