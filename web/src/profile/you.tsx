import { Avatar, Badge, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { Section } from '../parts/section.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'

export function You() {
  const t = useT()
  const { user, role, organization, isInstanceAdministrator } = useMe()
  const saved = user?.name ?? ''
  const [name, setName] = useState(saved)
  const change = useChange('PATCH /api/v1/me')
  return (
    <Section title={t('You')}>
      <Group wrap="nowrap" align="flex-start">
        <Avatar name={saved} color="harbour" radius="xl" size="lg" aria-hidden />
        <Stack gap={4} miw={0}>
          <Text fw={600} truncate>
            {saved}
          </Text>
          <Text size="sm" c="dimmed" truncate>
            {user?.email}
          </Text>
          <Group gap={6}>
            {role && (
              <Badge variant="light" tt="none">
                {t('{{role}} in {{organization}}', { role: t(role.name), organization: organization.name })}
              </Badge>
            )}
            {isInstanceAdministrator && (
              <Badge variant="light" color="grape" tt="none">
                {t('Administers the instance')}
              </Badge>
            )}
          </Group>
        </Stack>
      </Group>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate({ body: { name } })
        }}
      >
        <UnsavedGuard when={name !== saved && !change.isPending} />
        <Stack gap="sm">
          <Group align="flex-end" wrap="nowrap">
            <TextInput
              label={t('Name')}
              autoComplete="name"
              value={name}
              error={fieldErrors(change.error)['name']}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
              flex={1}
            />
            <Button
              type="submit"
              variant="default"
              loading={change.isPending}
              disabled={name.trim() === '' || name === saved}
            >
              {t('Save name')}
            </Button>
          </Group>
          <FailedForm error={change.error} shown={['name']} />
        </Stack>
      </form>
    </Section>
  )
}
