import { Alert, Button, Group, Stack, Switch, Text, TextInput } from '@mantine/core'
import { IconInfoCircle, IconKey } from '@tabler/icons-react'
import { useState } from 'react'
import type { IdentityProviderKind } from '../../../src/client/api.ts'
import type { IdentityProvider, ProviderKind } from '../../../src/shared/identity-providers.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { errorsBelow } from '../parts/field-errors.ts'
import { KindCards } from '../parts/kind-cards.tsx'
import { defaultsOf, SchemaForm, type Settings } from '../parts/schema-form.tsx'
import { useTellDirty } from '../parts/use-tell-dirty.ts'
import { draftOf, newDraft } from './draft.ts'
import { ProviderRulesFields } from './provider-rules-fields.tsx'
import { RedirectUrl } from './redirect-url.tsx'

interface ProviderFormProps {
  /** Undefined: it is a new one. */
  provider?: IdentityProvider
  etag?: string | undefined
  kinds: readonly IdentityProviderKind[]
  onDirty: (isDirty: boolean) => void
  onSaved: (provider: IdentityProvider) => void
  onCancel: () => void
}

export function ProviderForm({ kinds, onDirty, onSaved, onCancel, ...given }: ProviderFormProps) {
  const t = useT()
  // As it was when the form was opened: what others change meanwhile is not overwritten.
  const [{ provider, etag }] = useState(given)
  const [first] = useState(() => (provider ? draftOf(provider) : newDraft))
  const [draft, setDraft] = useState(first)
  const [kind, setKind] = useState(provider?.kind)
  const add = useChange('POST /api/v1/identity-providers', {
    onSuccess: ({ body }) => onSaved(body),
  })
  const change = useChange('PATCH /api/v1/identity-providers/{id}', {
    onSuccess: ({ body }) => onSaved(body),
  })
  const isDirty = JSON.stringify(draft) !== JSON.stringify(first)
  useTellDirty(isDirty, onDirty)
  const error = add.error ?? change.error
  const errors = fieldErrors(error)
  const description = kinds.find(({ name }) => name === kind)
  const isFixed = provider?.isFromEnvironment === true
  const choose = (name: string) => {
    const chosen = kinds.find((one) => one.name === name)
    if (!chosen) return
    setKind(name)
    setDraft({
      ...draft,
      // The name of the kind, until somebody says something better.
      name: draft.name === '' || kinds.some(({ label }) => label === draft.name) ? chosen.label : draft.name,
      settings: defaultsOf(chosen.settings),
      claim: chosen.claim,
    })
  }
  const save = () => {
    if (provider) change.mutate({ params: { id: provider.id }, body: draft, ifMatch: etag })
    else if (kind !== undefined) add.mutate({ body: { ...draft, kind: kind as ProviderKind } })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <Stack gap="lg">
        {isFixed && (
          <Alert variant="light" icon={<IconInfoCircle aria-hidden />}>
            <Text size="sm">
              {t('OIDC_… variables say what it is. Change them, and start Holdfast again.')}
            </Text>
          </Alert>
        )}
        {provider ? (
          <RedirectUrl url={provider.redirectUrl} />
        ) : (
          <KindCards
            label={t('Kind')}
            kinds={kinds.map(({ name, label }) => ({ name, label, icon: <IconKey size={18} aria-hidden /> }))}
            value={kind}
            onChange={choose}
          />
        )}
        {description && (
          <>
            <TextInput
              label={t('Name')}
              description={t('It stands on the button of the sign-in.')}
              autoComplete="off"
              required
              withAsterisk={false}
              disabled={isFixed}
              value={draft.name}
              error={errors['name']}
              onChange={({ currentTarget }) => setDraft({ ...draft, name: currentTarget.value })}
            />
            <Switch
              label={t('People may sign in with it')}
              checked={draft.isEnabled}
              disabled={isFixed}
              onChange={({ currentTarget }) => setDraft({ ...draft, isEnabled: currentTarget.checked })}
            />
            <SchemaForm
              schema={description.settings}
              value={draft.settings}
              isDisabled={isFixed}
              errors={errorsBelow(errors, 'settings')}
              onChange={(settings: Settings) => setDraft({ ...draft, settings })}
            />
            <ProviderRulesFields
              rules={draft}
              usualClaim={description.claim}
              isDisabled={isFixed}
              errors={errors}
              onChange={(rules) => setDraft({ ...draft, ...rules })}
            />
          </>
        )}
        <FailedForm
          error={error}
          shown={['name', 'settings', 'emailDomains', 'claim', 'mappings', 'defaultMembership']}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {isFixed ? t('Close') : t('Cancel')}
          </Button>
          {!isFixed && (
            <Button
              type="submit"
              loading={add.isPending || change.isPending}
              disabled={!description || draft.name.trim() === '' || (provider !== undefined && !isDirty)}
            >
              {provider ? t('Save provider') : t('Add provider')}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  )
}
