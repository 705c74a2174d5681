import { Anchor, Badge, Button, Group, Stack, Text, Title } from '@mantine/core'
import { IconKey, IconPlus } from '@tabler/icons-react'
import { useQueries } from '@tanstack/react-query'
import type { IdentityProvider } from '../../../src/shared/identity-providers.ts'
import { asking, askingAll } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { numberText } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/empty.tsx'
import { ProviderDrawer } from './provider-drawer.tsx'
import { ProviderMenu } from './provider-menu.tsx'

/** Who else may say who somebody is. */
export function Providers() {
  const t = useT()
  const language = useLanguage()
  const [{ provider: opened }, setFilters] = useFilters()
  const both = useQueries({
    queries: [askingAll('GET /api/v1/identity-providers'), asking('GET /api/v1/identity-provider-kinds')],
    combine: ([providers, kinds]) => ({
      data: providers.data && kinds.data && { providers: providers.data, kinds: kinds.data.items },
      error: providers.error ?? kinds.error,
      refetch: () => Promise.all([providers.refetch(), kinds.refetch()]),
    }),
  })
  const add = (
    <Button
      variant="default"
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setFilters({ provider: 'new' })}
    >
      {t('Add identity provider')}
    </Button>
  )
  const labelOf = (kind: string) => both.data?.kinds.find(({ name }) => name === kind)?.label ?? kind
  const columns: Column<IdentityProvider>[] = [
    {
      title: t('Name'),
      isWide: true,
      cell: ({ id, name }) => (
        <Anchor
          component="button"
          type="button"
          fw={500}
          ta="left"
          onClick={() => setFilters({ provider: id })}
        >
          {name}
        </Anchor>
      ),
    },
    { title: t('Kind'), cell: ({ kind }) => labelOf(kind) },
    {
      title: t('State'),
      cell: ({ isEnabled, isFromEnvironment }) => (
        <Group gap={4}>
          <Badge variant="light" color={isEnabled ? 'green' : 'gray'} tt="none">
            {isEnabled ? t('on') : t('off')}
          </Badge>
          {isFromEnvironment && (
            <Badge variant="light" color="blue" tt="none">
              {t('from the environment')}
            </Badge>
          )}
        </Group>
      ),
    },
    {
      title: t('Makes accounts'),
      cell: ({ autoCreate }) =>
        autoCreate ? (
          t('yes')
        ) : (
          <Text span inherit c="dimmed">
            {t('no')}
          </Text>
        ),
    },
    { title: t('Linked accounts'), align: 'right', cell: ({ users }) => numberText(users, language) },
    {
      title: '',
      align: 'right',
      cell: (provider) => (
        <Group justify="flex-end">
          <ProviderMenu provider={provider} onEdit={() => setFilters({ provider: provider.id })} />
        </Group>
      ),
    },
  ]
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2} size="h4">
          {t('Identity providers')}
        </Title>
        {both.data && both.data.providers.length > 0 && add}
      </Group>
      <Asked question={both}>
        {({ providers, kinds }) => (
          <>
            {providers.length === 0 ? (
              <Empty icon={<IconKey size={26} />} title={t('No identity providers yet')} action={add}>
                {t(
                  'Let people sign in with the account that they have already: Google, GitHub, GitLab, Keycloak, Entra, or anything that speaks OpenID Connect.',
                )}
              </Empty>
            ) : (
              <DataTable
                label={t('Identity providers')}
                columns={columns}
                rows={providers}
                idOf={({ id }) => id}
              />
            )}
            <ProviderDrawer
              id={opened}
              kinds={kinds}
              onClose={() => setFilters({ provider: undefined })}
              onAdded={(id) => setFilters({ provider: id })}
            />
          </>
        )}
      </Asked>
    </Stack>
  )
}
