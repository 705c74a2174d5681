import {
  Button,
  Checkbox,
  Group,
  Input,
  SegmentedControl,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import type { CreatedToken } from '../../../src/client/api.ts'
import type { Ability } from '../../../src/shared/abilities.ts'
import { fieldErrors, useAsk, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { errorOf } from '../parts/field-errors.ts'
import { useTellDirty } from '../parts/use-tell-dirty.ts'
import { AbilityChoice } from '../roles/ability-choice.tsx'
import { ExpiryChoice } from './expiry-choice.tsx'

type Reach = 'read' | 'some' | 'all'

interface NewTokenFormProps {
  onDirty: (isDirty: boolean) => void
  onMade: (token: CreatedToken) => void
  onCancel: () => void
}

export function NewTokenForm({ onDirty, onMade, onCancel }: NewTokenFormProps) {
  const t = useT()
  const may = useMay()
  const abilities = useAsk('GET /api/v1/abilities')
  const [name, setName] = useState('')
  const [reach, setReach] = useState<Reach>('read')
  const [chosen, setChosen] = useState<Ability[]>(['view'])
  const [isInstanceAdministrator, setAdministrator] = useState(false)
  const [networks, setNetworks] = useState<string[]>([])
  const [expiresAt, setExpiresAt] = useState<string | null>(null)
  const make = useChange('POST /api/v1/tokens', { onSuccess: ({ body }) => onMade(body) })
  const isDirty = name !== '' || reach !== 'read' || networks.length > 0
  useTellDirty(isDirty, onDirty)
  const errors = fieldErrors(make.error)
  const scopes = reach === 'all' ? null : reach === 'read' ? (['view'] as const) : chosen
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        make.mutate({
          body: {
            name,
            scopes: scopes && [...scopes],
            isInstanceAdministrator: reach === 'all' && isInstanceAdministrator,
            networks: networks.length > 0 ? networks : null,
            expiresAt,
          },
        })
      }}
    >
      <Stack gap="lg">
        <TextInput
          label={t('Name')}
          description={t('What uses it: a script, a pipeline, a machine.')}
          autoComplete="off"
          data-autofocus
          required
          withAsterisk={false}
          value={name}
          error={errors['name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <Stack gap="sm">
          <Input.Wrapper label={t('What it may do')} labelElement="div">
            <SegmentedControl
              fullWidth
              aria-label={t('What it may do')}
              value={reach}
              onChange={(value) => setReach(value)}
              data={[
                { value: 'read', label: t('Only read') },
                { value: 'some', label: t('Some things') },
                { value: 'all', label: t('All that I may') },
              ]}
            />
          </Input.Wrapper>
          <Text size="sm" c="dimmed">
            {t('It never may do more than you, also when your role changes.')}
          </Text>
          {reach === 'some' && abilities.data && (
            <AbilityChoice
              label={t('It may')}
              abilities={abilities.data.items}
              chosen={chosen}
              onChange={setChosen}
              error={errorOf(errors, 'scopes')}
            />
          )}
          {reach === 'all' && may('administer-instance') && (
            <Checkbox
              label={t('Administers the instance')}
              description={t(
                'Organizations, accounts, app backups: all that only instance administrators may.',
              )}
              checked={isInstanceAdministrator}
              onChange={({ currentTarget }) => setAdministrator(currentTarget.checked)}
            />
          )}
        </Stack>
        <ExpiryChoice onChange={setExpiresAt} error={errors['expiresAt']} />
        <TagsInput
          label={t('From where')}
          description={t('Addresses, or networks like 10.0.0.0/8. Empty: from everywhere.')}
          placeholder={t('Type, then press Enter')}
          splitChars={[',', ' ']}
          acceptValueOnBlur
          value={networks}
          error={errorOf(errors, 'networks')}
          onChange={setNetworks}
        />
        <FailedForm error={make.error} shown={['name', 'scopes', 'expiresAt', 'networks']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={make.isPending} disabled={name.trim() === ''}>
            {t('Make token')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
