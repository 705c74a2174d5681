import { Button, Group, Menu, Stack, Text } from '@mantine/core'
import { IconDownload, IconHistory, IconLock } from '@tabler/icons-react'
import { useListed } from '../api.ts'
import { basePath } from '../base-path.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { AuditFilters } from './audit-filters.tsx'
import { AuditTable } from './audit-table.tsx'
import { EntryDrawer } from './entry-drawer.tsx'
import { queryOf } from './query.ts'
import { VerifyButton } from './verify.tsx'

export function AuditPage() {
  const t = useT()
  const may = useMay()
  if (may('view-audit')) return <AuditLog />
  return (
    <Page title={t('Audit log')}>
      <Empty icon={<IconLock size={26} />} title={t('Your role does not show this')}>
        {t('It says who has done what, when, and from where.')}
      </Empty>
    </Page>
  )
}

function AuditLog() {
  const t = useT()
  const may = useMay()
  const [filters, setFilters] = useFilters()
  const query = queryOf(filters)
  const found = useListed('GET /api/v1/audit', query)
  const items = found.items
  const opened = items?.find(({ id }) => id === filters['entry'])
  return (
    <Page
      title={t('Audit log')}
      about={t(
        'Who has done what, when, and from where. Entries are only ever added, each chained to the one before.',
      )}
      actions={
        <>
          <ExportMenu query={query} isDisabled={found.error !== null} />
          {may('administer-instance') && <VerifyButton />}
        </>
      }
    >
      <AuditFilters />
      <Asked question={{ data: items, error: found.error, refetch: found.refetch }} lines={8}>
        {(entries) => (
          <Stack gap="md">
            {entries.length === 0 && !found.hasNextPage ? (
              <Empty icon={<IconHistory size={26} />} title={t('No entry fits')}>
                {t('Take filters away to see more.')}
              </Empty>
            ) : (
              <AuditTable entries={entries} onOpen={(id) => setFilters({ entry: id })} />
            )}
            {found.hasNextPage && (
              <Group justify="center" gap="sm">
                {entries.length === 0 && <Text size="sm">{t('None of the newest fits.')}</Text>}
                <Button
                  variant="default"
                  loading={found.isFetchingNextPage}
                  onClick={() => void found.fetchNextPage()}
                >
                  {t('Older entries')}
                </Button>
              </Group>
            )}
          </Stack>
        )}
      </Asked>
      <EntryDrawer entry={opened} onClose={() => setFilters({ entry: undefined })} />
    </Page>
  )
}

interface ExportMenuProps {
  query: Record<string, string>
  /** The list is refused, so the file would be, too: of a download, nobody sees why. */
  isDisabled: boolean
}

function ExportMenu({ query, isDisabled }: ExportMenuProps) {
  const t = useT()
  const linkTo = (form: string) =>
    `${basePath}/api/v1/audit/export?${new URLSearchParams({ ...query, as: form }).toString()}`
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} disabled={isDisabled}>
          {t('Export')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('All entries that the filters leave')}</Menu.Label>
        <Menu.Item component="a" href={linkTo('csv')} download>
          {t('CSV, for spreadsheets')}
        </Menu.Item>
        <Menu.Item component="a" href={linkTo('jsonl')} download>
          {t('JSON lines, for programs')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
