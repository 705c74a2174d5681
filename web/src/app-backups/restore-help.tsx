import { List, Stack, Text } from '@mantine/core'
import type { AppBackupRegistration } from '../../../src/shared/app-backups.ts'
import { useT } from '../i18n/i18n.ts'
import { CodeBlock } from '../parts/code-block.tsx'
import { Section } from '../parts/section.tsx'

/** How Holdfast itself is restored: by a command, because the app must not run then. */
export function RestoreHelp({ registration }: { registration: AppBackupRegistration | undefined }) {
  const t = useT()
  const name = registration?.name ?? 'This machine'
  return (
    <Section
      title={t('Restore')}
      about={t('Done with a command, on a stopped app. What is there is kept aside first.')}
    >
      <List type="ordered" size="sm" spacing="sm" pe="md">
        <List.Item>{t('Stop Holdfast, all nodes and workers.')}</List.Item>
        <List.Item>
          <Stack gap="xs">
            <Text size="sm">{t('With its environment and as its user, restore the newest backup:')}</Text>
            <CodeBlock code={restoreCommand(`${name}/latest`)} label={t('Copy the command')} />
            <Text size="sm">{t('or a file that you have fetched:')}</Text>
            <CodeBlock code={restoreCommand('/mnt/usb/db_v12.db')} label={t('Copy the command for a file')} />
          </Stack>
        </List.Item>
        <List.Item>{t('Start Holdfast. A backup of an older schema is migrated then.')}</List.Item>
      </List>
      <Text size="sm" fw={500}>
        {t('A backup is of no use without APP_KEY: keep a copy of that key apart from the backups.')}
      </Text>
    </Section>
  )
}

function restoreCommand(what: string): string {
  return `bin/holdfast app restore '${what.replaceAll("'", `'\\''`)}'`
}
