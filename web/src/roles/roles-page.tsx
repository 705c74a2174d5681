import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQueries } from '@tanstack/react-query'
import { asking, askingAll } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay, useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { RoleDrawer } from './role-drawer.tsx'
import { RoleMatrix } from './role-matrix.tsx'

export function RolesPage() {
  const t = useT()
  const may = useMay()
  const { organization } = useMe()
  const [{ role }, setFilters] = useFilters()
  const both = useQueries({
    queries: [askingAll('GET /api/v1/roles'), asking('GET /api/v1/abilities')],
    combine: ([roles, abilities]) => ({
      data: roles.data && abilities.data && { roles: roles.data, abilities: abilities.data.items },
      error: roles.error ?? abilities.error,
      refetch: () => Promise.all([roles.refetch(), abilities.refetch()]),
    }),
  })
  return (
    <Page
      title={t('Roles')}
      about={t('What the people of “{{organization}}” may do. Everybody has one role in it.', {
        organization: organization.name,
      })}
      actions={
        may('manage-roles') && (
          <Button
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setFilters({ role: 'new' })}
          >
            {t('Add role')}
          </Button>
        )
      }
    >
      <Asked question={both} lines={8}>
        {({ roles, abilities }) => (
          <>
            <RoleMatrix roles={roles} abilities={abilities} onEdit={(id) => setFilters({ role: id })} />
            {may('manage-roles') && (
              <RoleDrawer id={role} abilities={abilities} onClose={() => setFilters({ role: undefined })} />
            )}
          </>
        )}
      </Asked>
    </Page>
  )
}
