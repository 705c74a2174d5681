import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { Identity } from '../../../src/shared/identity-providers.ts'
import { useAsk, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { Section } from '../parts/section.tsx'
import { When } from '../parts/when.tsx'
import { noteLinking } from '../sign-in/linking.ts'
import { Entry } from './entry.tsx'

/** Accounts elsewhere that sign in here. Nothing is shown where there are none, and could be none. */
export function Identities() {
  const t = useT()
  const identities = useAsk('GET /api/v1/me/identities')
  const ways = useAsk('GET /api/v1/sign-in')
  const [leaving, setLeaving] = useState<Identity>()
  const begin = useChange('POST /api/v1/me/identities', {
    changesNothing: true,
    onSuccess: ({ body }) => {
      noteLinking()
      location.assign(body.url)
    },
  })
  const remove = useChange('DELETE /api/v1/me/identities/{id}', { onSuccess: () => setLeaving(undefined) })
  const own = identities.data?.items
  const others =
    ways.data?.providers.filter(({ id }) => !own?.some(({ provider }) => provider?.id === id)) ?? []
  if (own?.length === 0 && others.length === 0) return null
  return (
    <Section title={t('Accounts at identity providers')} about={t('Each of them signs you in.')}>
      <Asked question={identities} lines={1}>
        {({ items }) => (
          <Stack gap="sm" component="ul" m={0} p={0}>
            {items.map((identity) => (
              <Entry
                key={identity.id}
                title={identity.provider?.name ?? t('A provider that is gone')}
                action={
                  <Button
                    variant="default"
                    size="xs"
                    onClick={() => setLeaving(identity)}
                    aria-label={t('Take away {{name}}', {
                      name: identity.provider?.name ?? identity.subject,
                    })}
                  >
                    {t('Take away')}
                  </Button>
                }
              >
                <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                  {identity.subject}
                </Text>
                <Text size="sm" c="dimmed">
                  {t('Last used:')} <When at={identity.lastUsedAt} />
                </Text>
              </Entry>
            ))}
          </Stack>
        )}
      </Asked>
      {others.length > 0 && (
        <Group gap="xs">
          {others.map(({ id, name }) => (
            <Button
              key={id}
              variant="default"
              size="xs"
              loading={begin.isPending && begin.variables?.body.providerId === id}
              onClick={() => begin.mutate({ body: { providerId: id, to: '/profile' } })}
            >
              {t('Add {{provider}}', { provider: name })}
            </Button>
          ))}
        </Group>
      )}
      <FailedForm error={begin.error} />
      <Confirm
        isOpen={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={t('Take the account at “{{name}}” away?', {
          name: leaving?.provider?.name ?? leaving?.subject ?? '',
        })}
        action={t('Take away')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => leaving && remove.mutate({ params: { id: leaving.id } })}
      >
        <Text size="sm">{t('It does not sign you in any more. Nothing changes at the provider.')}</Text>
      </Confirm>
    </Section>
  )
}
