import { Alert, NumberInput, SimpleGrid, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconAlertTriangle } from '@tabler/icons-react'
import {
  DEFAULT_INSTANCE_SETTINGS,
  type InstanceSettingsChanges,
  instanceSettingsChanges,
  MOST_LOCAL_APP_BACKUPS,
} from '../../../src/shared/instance-settings.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { SaveBar } from '../parts/save-bar.tsx'
import { Section } from '../parts/section.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { useDraft } from '../use-draft.ts'

/** How many app backups are kept, here and elsewhere. */
export function RetainedBackups() {
  const t = useT()
  const saved = useSaved('GET /api/v1/instance-settings')
  return (
    <Section
      title={t('Retention')}
      about={t(
        'Counted for each entry above by itself. The oldest ones go first; the newest is never removed.',
      )}
    >
      <Asked question={saved} lines={2}>
        {(answer) => <RetentionForm saved={answer} reload={async () => (await saved.refetch()).data} />}
      </Asked>
    </Section>
  )
}

interface RetentionFormProps {
  saved: Saved<'GET /api/v1/instance-settings'>
  reload: () => Promise<Saved<'GET /api/v1/instance-settings'> | undefined>
}

function RetentionForm({ saved, reload }: RetentionFormProps) {
  const t = useT()
  const draft = useDraft(saved)
  const { base, changes } = draft
  const save = useChange('PATCH /api/v1/instance-settings', {
    onSuccess: (answer) => {
      draft.restart(answer)
      notifications.show({ message: t('The retention is saved'), color: 'green' })
    },
  })
  const faults = instanceSettingsChanges.safeParse(changes).error?.issues ?? []
  const errors = {
    ...fieldErrors(save.error),
    ...Object.fromEntries(faults.map(({ path, message }) => [String(path[0]), message])),
  }
  const valueOf = (name: 'localAppBackups' | 'remoteAppBackups') =>
    Number(name in changes ? (changes[name] ?? DEFAULT_INSTANCE_SETTINGS[name]) : base[name])
  const local = valueOf('localAppBackups')
  const remote = valueOf('remoteAppBackups')
  const fields = (name: 'localAppBackups' | 'remoteAppBackups') => ({
    value: valueOf(name),
    error: errors[name],
    min: 0,
    allowDecimal: false,
    allowNegative: false,
    clampBehavior: 'none' as const,
    inputWrapperOrder: ['label', 'input', 'description', 'error'] as (
      | 'label'
      | 'input'
      | 'description'
      | 'error'
    )[],
    onChange: (given: string | number) => draft.change(name, given === '' ? null : Number(given)),
  })
  const isFixed = base.isLocalAppBackupsFromEnvironment === true
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }} maw="44rem">
        <NumberInput
          {...fields('localAppBackups')}
          label={t('Maximum retained local backups')}
          description={
            isFixed
              ? t('HOLDFAST_APP_BACKUP_KEEP of the environment says it')
              : t('Of each FileSystem entry, 0 to {{most}}. Default: {{value}}', {
                  most: MOST_LOCAL_APP_BACKUPS,
                  value: DEFAULT_INSTANCE_SETTINGS.localAppBackups,
                })
          }
          max={MOST_LOCAL_APP_BACKUPS}
          disabled={isFixed}
        />
        <NumberInput
          {...fields('remoteAppBackups')}
          label={t('Maximum retained remote backups')}
          description={t('Of each other entry, no upper limit. Default: {{value}}', {
            value: DEFAULT_INSTANCE_SETTINGS.remoteAppBackups,
          })}
        />
      </SimpleGrid>
      {local === 0 && (
        <CleanUpIsOff>
          {t('Old local backups are never removed, and fill the disk some day. 1 or higher is recommended.')}
        </CleanUpIsOff>
      )}
      {remote === 0 && (
        <CleanUpIsOff>{t('Old remote backups are never removed. 1 or higher is recommended.')}</CleanUpIsOff>
      )}
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

function CleanUpIsOff({ children }: { children: string }) {
  const t = useT()
  return (
    <Alert
      role="alert"
      color="orange"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('0 turns clean-up off')}
    >
      {children}
    </Alert>
  )
}
