import { Button } from '@mantine/core'
import { IconPlus, IconTicket } from '@tabler/icons-react'
import { useAll } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { NewTokenDrawer } from './new-token-drawer.tsx'
import { TokenTable } from './token-table.tsx'

export function TokensPage() {
  const t = useT()
  const may = useMay()
  const tokens = useAll('GET /api/v1/tokens')
  const [{ add }, setFilters] = useFilters()
  const open = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setFilters({ add: 'token' })}>
      {t('Add token')}
    </Button>
  )
  return (
    <Page
      title={t('API tokens')}
      about={
        may('manage-tokens')
          ? t('Programs sign in with them. You see those of everybody in this organization.')
          : t('Programs sign in with them. You see your own.')
      }
      actions={open}
    >
      <Asked question={tokens}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<IconTicket size={26} />} title={t('No tokens yet')} action={open}>
              {t('A script, a pipeline or the command line on another machine needs one.')}
            </Empty>
          ) : (
            <TokenTable tokens={items} />
          )
        }
      </Asked>
      <NewTokenDrawer isOpen={add === 'token'} onClose={() => setFilters({ add: undefined })} />
    </Page>
  )
}
