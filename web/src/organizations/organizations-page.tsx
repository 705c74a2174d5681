import { Badge, Button, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconLock, IconPlus } from '@tabler/icons-react'
import type { Organization } from '../../../src/shared/organizations.ts'
import { useAll, useChange } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useMay, useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { numberText } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { When } from '../parts/when.tsx'
import { NameForm } from './name-form.tsx'
import { OrganizationMenu } from './organization-menu.tsx'

export function OrganizationsPage() {
  const t = useT()
  const may = useMay()
  if (may('administer-instance')) return <Organizations />
  return (
    <Page title={t('Organizations')}>
      <Empty icon={<IconLock size={26} />} title={t('This is for instance administrators')}>
        {t('They add, rename, merge and delete organizations.')}
      </Empty>
    </Page>
  )
}

function Organizations() {
  const t = useT()
  const me = useMe()
  const language = useLanguage()
  const organizations = useAll('GET /api/v1/organizations')
  const [isAdding, adding] = useDisclosure()
  const add = useChange('POST /api/v1/organizations', { onSuccess: adding.close })
  const cancel = () => {
    adding.close()
    add.reset()
  }
  const columns = (all: readonly Organization[]): Column<Organization>[] => [
    {
      title: t('Name'),
      isWide: true,
      cell: ({ id, name }) => (
        <Group gap="xs">
          <Text span inherit fw={500}>
            {name}
          </Text>
          {id === me.organization.id && (
            <Badge variant="light" tt="none">
              {t('you are here')}
            </Badge>
          )}
        </Group>
      ),
    },
    { title: t('Members'), align: 'right', cell: ({ members }) => numberText(members, language) },
    { title: t('Servers'), align: 'right', cell: ({ servers }) => numberText(servers, language) },
    { title: t('Added'), cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      title: '',
      align: 'right',
      cell: (organization) => (
        <Group justify="flex-end">
          <OrganizationMenu organization={organization} all={all} />
        </Group>
      ),
    },
  ]
  return (
    <Page
      title={t('Organizations')}
      about={t('Each has its own servers, plans, volumes, snapshots and keys. Only people are shared.')}
      actions={
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={adding.open}>
          {t('Add organization')}
        </Button>
      }
    >
      <Asked question={organizations}>
        {(items) => (
          <DataTable label={t('Organizations')} columns={columns(items)} rows={items} idOf={({ id }) => id} />
        )}
      </Asked>
      <Dialog isOpen={isAdding} onClose={cancel} title={t('Add organization')}>
        <NameForm
          name=""
          about={t('It begins with the four roles, a notification rule, and a volume on this machine.')}
          action={t('Add organization')}
          isPending={add.isPending}
          error={add.error}
          onSave={(name) => add.mutate({ body: { name } })}
          onCancel={cancel}
        />
      </Dialog>
    </Page>
  )
}
