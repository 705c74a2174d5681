import {
  Button,
  Group,
  PasswordInput,
  SegmentedControl,
  Stack,
  TagsInput,
  Text,
  TextInput,
  ThemeIcon,
} from '@mantine/core'
import { IconLock, IconUsers, IconKey } from '@tabler/icons-react'
import { useState } from 'react'
import type { AddedEncryptionKey, NewEncryptionKey } from '../../../src/client/api.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { CodeBlock } from '../parts/code-block.tsx'
import { Failed } from '../parts/failed.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { KindCards } from '../parts/kind-cards.tsx'
import { SavedSecret } from './saved-secret.tsx'
import { keyKinds } from './key-words.ts'

type Kind = NewEncryptionKey['kind']

const icons: Record<Kind, typeof IconKey> = { password: IconLock, recipients: IconUsers, passphrase: IconKey }
const kinds = Object.keys(icons) as Kind[]

interface Draft {
  kind: Kind
  name: string
  isGenerated: boolean
  secret: string
  recipients: string[]
}

const FIRST: Draft = { kind: 'password', name: '', isGenerated: true, secret: '', recipients: [] }

/** Adds a key; one that was made up is shown this once. */
export function AddKey({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useT()
  const [draft, setDraft] = useState(FIRST)
  const [made, setMade] = useState<AddedEncryptionKey>()
  const close = () => {
    setDraft(FIRST)
    setMade(undefined)
    add.reset()
    onClose()
  }
  const add = useChange('POST /api/v1/keys', {
    onSuccess: ({ body }) => (body.secret === undefined ? close() : setMade(body)),
  })
  return (
    <FormDrawer
      isOpen={isOpen}
      onClose={close}
      title={made ? t('Save the key now') : t('Add key')}
      isDirty={made !== undefined || JSON.stringify(draft) !== JSON.stringify(FIRST)}
    >
      {made?.secret !== undefined ? (
        <SavedSecret name={made.name} secret={made.secret} onSaved={close} />
      ) : (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            add.mutate({ body: bodyOf(draft) })
          }}
        >
          <Stack gap="lg">
            <KindCards
              label={t('What kind of key?')}
              kinds={kinds.map((kind) => {
                const Icon = icons[kind]
                const { label, about } = keyKinds[kind]
                return { name: kind, label: t(label), about: t(about), icon: <KindIcon icon={Icon} /> }
              })}
              value={draft.kind}
              onChange={(kind) => setDraft({ ...draft, kind: kind as Kind })}
            />
            <KeyFields draft={draft} onChange={setDraft} errors={fieldErrors(add.error)} />
            {add.error && <Failed error={add.error} />}
            <Group>
              <Button type="submit" loading={add.isPending}>
                {t('Add key')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </FormDrawer>
  )
}

function KindIcon({ icon: Icon }: { icon: typeof IconKey }) {
  return (
    <ThemeIcon variant="light" size="lg" aria-hidden>
      <Icon size={18} />
    </ThemeIcon>
  )
}

interface KeyFieldsProps {
  draft: Draft
  onChange: (draft: Draft) => void
  errors: Record<string, string>
}

function KeyFields({ draft, onChange, errors }: KeyFieldsProps) {
  const t = useT()
  const { kind, name, isGenerated, secret, recipients } = draft
  return (
    <>
      <TextInput
        label={t('Name')}
        description={t('Plans and manifests call it so')}
        withAsterisk
        maxLength={100}
        autoComplete="off"
        value={name}
        error={errors['name']}
        onChange={({ currentTarget }) => onChange({ ...draft, name: currentTarget.value })}
      />
      {kind === 'recipients' ? (
        <>
          <TagsInput
            label={t('Public keys')}
            description={t('They begin with age1. Any one of their identities opens the snapshots.')}
            placeholder={t('Type, then press Enter')}
            withAsterisk
            splitChars={[',', ' ', '\n']}
            acceptValueOnBlur
            value={recipients}
            error={
              errors['recipients'] ??
              Object.entries(errors).find(([field]) => field.startsWith('recipients.'))?.[1]
            }
            onChange={(recipients) => onChange({ ...draft, recipients })}
          />
          <Stack gap="xs">
            <Text size="sm">
              {t('This makes an identity, which stays with you, and prints its public key:')}
            </Text>
            <CodeBlock code="age-keygen -o identity.txt" label={t('Copy the command')} />
          </Stack>
        </>
      ) : (
        <>
          <SegmentedControl
            aria-label={t('Where the secret comes from')}
            data={[
              { value: 'made', label: t('Make one up') },
              { value: 'given', label: t('I have one') },
            ]}
            value={isGenerated ? 'made' : 'given'}
            onChange={(choice) => onChange({ ...draft, isGenerated: choice === 'made' })}
          />
          {isGenerated ? (
            <Text size="sm" c="dimmed">
              {t('It is shown once, when the key is added. Save it then.')}
            </Text>
          ) : (
            <PasswordInput
              label={kind === 'password' ? t('Password') : t('Passphrase')}
              description={t('At least 12 characters')}
              withAsterisk
              autoComplete="new-password"
              value={secret}
              error={errors[kind]}
              onChange={({ currentTarget }) => onChange({ ...draft, secret: currentTarget.value })}
            />
          )}
        </>
      )}
    </>
  )
}

function bodyOf({ kind, name, isGenerated, secret, recipients }: Draft): NewEncryptionKey {
  switch (kind) {
    case 'recipients':
      return { kind, name, recipients }
    case 'password':
      return isGenerated ? { kind, name, generate: true } : { kind, name, password: secret }
    case 'passphrase':
      return isGenerated ? { kind, name, generate: true } : { kind, name, passphrase: secret }
    default: {
      const never: never = kind
      return never
    }
  }
}
