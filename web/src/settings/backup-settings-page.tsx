import { Grid, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { type SettingsChanges, settingsChanges } from '../../../src/shared/settings.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { SaveBar } from '../parts/save-bar.tsx'
import { Section } from '../parts/section.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { useDraft } from '../use-draft.ts'
import { InstallationSettings } from './installation-settings.tsx'
import { SettingField } from './setting-field.tsx'
import { settingGroups } from './setting-groups.ts'

export function BackupSettingsPage() {
  const t = useT()
  const may = useMay()
  const saved = useSaved('GET /api/v1/settings')
  return (
    <Page
      title={t('Backup')}
      about={t('How backups are made in this organization, unless a plan says something else.')}
    >
      <Asked question={saved}>
        {(answer) => <SettingsForm saved={answer} reload={async () => (await saved.refetch()).data} />}
      </Asked>
      {may('administer-instance') && <InstallationSettings />}
    </Page>
  )
}

interface SettingsFormProps {
  saved: Saved<'GET /api/v1/settings'>
  reload: () => Promise<Saved<'GET /api/v1/settings'> | undefined>
}

function SettingsForm({ saved, reload }: SettingsFormProps) {
  const t = useT()
  const mayChange = useMay()('manage-settings')
  const draft = useDraft(saved)
  const { base, changes } = draft
  const save = useChange('PATCH /api/v1/settings', {
    onSuccess: (answer) => {
      draft.restart(answer)
      notifications.show({ message: t('The settings are saved'), color: 'green' })
    },
  })
  const errors = { ...fieldErrors(save.error), ...faultsOf(changes) }
  return (
    <Stack gap="lg">
      {settingGroups.map(({ title, about, settings }) => (
        <Section key={title} title={t(title)} about={t(about)}>
          <Grid gap="lg">
            {settings.map((setting) => (
              <Grid.Col key={setting.name} span={{ base: 12, md: setting.input === 'compression' ? 12 : 6 }}>
                <SettingField
                  setting={setting}
                  value={setting.name in changes ? changes[setting.name] : base[setting.name]}
                  error={errors[setting.name]}
                  isDisabled={!mayChange}
                  onChange={(value) => draft.change(setting.name, value)}
                />
              </Grid.Col>
            ))}
          </Grid>
        </Section>
      ))}
      <SaveBar
        isDirty={draft.isDirty}
        isPending={save.isPending}
        error={save.error}
        onSave={() => save.mutate({ body: changes as SettingsChanges, ...draft.ifMatch })}
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

/** What the app would say of them, while they are typed. */
function faultsOf(changes: object): Record<string, string> {
  const { error } = settingsChanges.safeParse(changes)
  return Object.fromEntries((error?.issues ?? []).map(({ path, message }) => [String(path[0]), message]))
}
