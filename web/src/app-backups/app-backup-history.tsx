import { Code, Stack, Text } from '@mantine/core'
import type { AppBackup } from '../../../src/shared/app-backups.ts'
import { useListed } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes, numberText } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Section } from '../parts/section.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { More } from '../parts/more.tsx'
import { causes } from './target-words.ts'

/** What was made, the newest first. */
export function AppBackupHistory() {
  const t = useT()
  const language = useLanguage()
  const history = useListed('GET /api/v1/app-backups', { limit: 10 })
  const columns: Column<AppBackup>[] = [
    { title: t('Made'), cell: (backup) => <Made backup={backup} /> },
    { title: t('Result'), cell: (backup) => <Result backup={backup} /> },
    { title: t('Why'), cell: ({ cause }) => <Text size="sm">{t(causes[cause])}</Text> },
    {
      title: t('Schema'),
      align: 'right',
      cell: ({ schemaVersion }) => <Text size="sm">{numberText(schemaVersion, language)}</Text>,
    },
    {
      title: t('Size'),
      align: 'right',
      cell: ({ bytes }) => (
        <Text size="sm">
          <Bytes of={bytes} />
        </Text>
      ),
    },
    { title: t('File'), isWide: true, cell: (backup) => <File backup={backup} /> },
  ]
  return (
    <Section title={t('History')}>
      <Asked question={{ ...history, data: history.items }}>
        {(backups) =>
          backups.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t('No backup yet')}
            </Text>
          ) : (
            <Stack>
              <DataTable
                label={t('Backups that were made')}
                rows={backups}
                idOf={({ id }) => id}
                columns={columns}
              />
              <More of={history} />
            </Stack>
          )
        }
      </Asked>
    </Section>
  )
}

function Made({ backup: { startedAt, registrationName } }: { backup: AppBackup }) {
  return (
    <Stack gap={0}>
      <Text size="sm">
        <When at={startedAt} />
      </Text>
      <Text size="xs" c="dimmed">
        {registrationName}
      </Text>
    </Stack>
  )
}

function Result({ backup: { state, error } }: { backup: AppBackup }) {
  return (
    <Stack gap={2} align="flex-start">
      <JobStateBadge state={state} />
      {error && <Text size="xs">{error.message}</Text>}
    </Stack>
  )
}

function File({ backup: { key, location } }: { backup: AppBackup }) {
  return (
    <Stack gap={2} align="flex-start">
      <Code>{key}</Code>
      <Text size="xs" c="dimmed">
        {location}
      </Text>
    </Stack>
  )
}
