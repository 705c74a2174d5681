import { Accordion, NumberInput, Stack, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useT } from '../i18n/i18n.ts'
import { errorOf } from '../parts/field-errors.ts'
import { RecordField } from '../parts/record-field.tsx'
import type { ServerDraft } from './server-draft.ts'

interface ServerFieldsProps {
  value: ServerDraft
  onChange: (changes: Partial<ServerDraft>) => void
  errors: Record<string, string>
  /** What it is called if the name is left empty. */
  suggestedName?: string
  /** What few say of a new server is not shown at first. */
  isShort?: boolean
}

/** What is said of a server besides how it is reached. */
export function ServerFields({ value, onChange, errors, suggestedName, isShort = false }: ServerFieldsProps) {
  const t = useT()
  const hasErrors = errorOf(errors, 'labels') !== undefined || errors['maxRunning'] !== undefined
  const [isOpened, setOpen] = useState(!isShort)
  const isOpen = isOpened || hasErrors
  return (
    <Stack gap="md">
      <TextInput
        label={t('Name')}
        description={t('What people call it; also in the names of its snapshots')}
        placeholder={suggestedName}
        withAsterisk={!suggestedName}
        maxLength={100}
        autoComplete="off"
        value={value.name}
        error={errors['name']}
        onChange={({ currentTarget }) => onChange({ name: currentTarget.value })}
      />
      <Accordion
        variant="contained"
        order={3}
        value={isOpen ? 'more' : null}
        onChange={(opened) => setOpen(opened !== null)}
      >
        <Accordion.Item value="more">
          <Accordion.Control>{t('Protection, labels and limits')}</Accordion.Control>
          <Accordion.Panel>
            <Stack gap="md">
              <Switch
                label={t('Production')}
                description={t('A restore that replaces a database of it asks for the database’s name')}
                checked={value.isProduction}
                onChange={({ currentTarget }) => onChange({ isProduction: currentTarget.checked })}
              />
              <Switch
                label={t('Protected from restores')}
                description={t('Nothing may be restored into it')}
                checked={value.isProtected}
                onChange={({ currentTarget }) => onChange({ isProtected: currentTarget.checked })}
              />
              <RecordField
                label={t('Labels')}
                description={t('To find and group servers by, such as team or site')}
                error={errorOf(errors, 'labels')}
                isSecret={false}
                isDisabled={false}
                value={value.labels}
                onChange={(labels) => onChange({ labels })}
              />
              <NumberInput
                label={t('Jobs at once')}
                description={t('How many jobs may run on it at the same time')}
                min={1}
                max={64}
                maw={320}
                value={value.maxRunning}
                error={errors['maxRunning']}
                onChange={(given) => onChange({ maxRunning: Number(given) })}
              />
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  )
}
