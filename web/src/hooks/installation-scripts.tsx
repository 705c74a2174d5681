import { List, NumberInput, Paper, Stack, Tabs, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { InstanceSettingsChanges } from '../../../src/shared/instance-settings.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { SaveBar } from '../parts/save-bar.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { useDraft } from '../use-draft.ts'
import { ScriptEditor } from './script-editor.tsx'

/** The scripts that run after every backup and every restore, whatever the plan. */
export function InstallationScripts() {
  const saved = useSaved('GET /api/v1/instance-settings')
  return (
    <Asked question={saved}>
      {(answer) => <ScriptsForm saved={answer} reload={async () => (await saved.refetch()).data} />}
    </Asked>
  )
}

interface ScriptsFormProps {
  saved: Saved<'GET /api/v1/instance-settings'>
  reload: () => Promise<Saved<'GET /api/v1/instance-settings'> | undefined>
}

function ScriptsForm({ saved, reload }: ScriptsFormProps) {
  const t = useT()
  const [{ script = 'backup' }, filter] = useFilters()
  const draft = useDraft(saved)
  const save = useChange('PATCH /api/v1/instance-settings', {
    onSuccess: (answer) => {
      draft.restart(answer)
      notifications.show({ message: t('The scripts are saved'), color: 'green' })
    },
  })
  const errors = fieldErrors(save.error)
  const { base, changes } = draft
  const valueOf = (name: 'postBackupScript' | 'postRestoreScript') => {
    const changed = changes[name]
    return typeof changed === 'string' ? changed : base[name]
  }
  const timeout = changes.scriptTimeoutMinutes ?? base.scriptTimeoutMinutes
  return (
    <Stack gap="lg">
      <Paper withBorder p="lg">
        <Tabs
          value={script}
          onChange={(script) => filter({ script: script ?? undefined })}
          keepMounted={false}
        >
          <Tabs.List aria-label={t('Scripts')} mb="md">
            <Tabs.Tab value="backup">{t('Post-backup')}</Tabs.Tab>
            <Tabs.Tab value="restore">{t('Post-restore')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="backup">
            <ScriptEditor
              label={t('Post-backup script')}
              description={t('Runs after every successful backup of one database. Empty: none.')}
              around="backup"
              value={valueOf('postBackupScript')}
              error={errors['postBackupScript']}
              onChange={(text) => draft.change('postBackupScript', text)}
            />
          </Tabs.Panel>
          <Tabs.Panel value="restore">
            <ScriptEditor
              label={t('Post-restore script')}
              description={t('Runs after every successful restore. Empty: none.')}
              around="restore"
              value={valueOf('postRestoreScript')}
              error={errors['postRestoreScript']}
              onChange={(text) => draft.change('postRestoreScript', text)}
            />
          </Tabs.Panel>
        </Tabs>
      </Paper>
      <Paper withBorder p="lg">
        <Stack>
          <Title order={2} size="h4">
            {t('How they run')}
          </Title>
          <Hints />
          <NumberInput
            label={t('Longest run')}
            description={t(
              'A script that takes longer is ended, with all that it has started. Default: 10 minutes',
            )}
            maw={320}
            min={1}
            max={1440}
            allowDecimal={false}
            suffix={` ${t('minutes')}`}
            value={Number(timeout)}
            error={errors['scriptTimeoutMinutes']}
            onChange={(given) =>
              draft.change('scriptTimeoutMinutes', given === '' || given === '-' ? null : Number(given))
            }
          />
        </Stack>
      </Paper>
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

function Hints() {
  const t = useT()
  return (
    <Stack gap="xs">
      <List size="sm" spacing={4}>
        <List.Item>{t('#!/bin/sh is put before the text, and sh runs it where the job has run.')}</List.Item>
        <List.Item>{t('What it says is in the log of the job, line by line.')}</List.Item>
        <List.Item>
          {t('If it fails, a warning is in the log. The backup is what it is: succeeded.')}
        </List.Item>
        <List.Item>
          {t('It gets the variables above, PATH, HOME, LANG, TZ and the proxies, and no secret of Holdfast.')}
        </List.Item>
      </List>
      <Text size="sm" c="dimmed">
        {t(
          'It can do what Holdfast’s own user can. So only those who administer the installation may edit it, and every edit is in the audit log.',
        )}
      </Text>
    </Stack>
  )
}
