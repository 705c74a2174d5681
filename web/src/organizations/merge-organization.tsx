import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Organization } from '../../../src/shared/organizations.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { MergeReport } from './merge-report.tsx'
import { useReload } from './reload.ts'

interface MergeOrganizationProps {
  organization: Organization
  all: readonly Organization[]
  onDone: () => void
}

/** Says first what would happen; the name of the one that goes is typed before it does. */
export function MergeOrganization({ organization: { id, name }, all, onDone }: MergeOrganizationProps) {
  const t = useT()
  const me = useMe()
  const reload = useReload()
  const [into, setInto] = useState<string | null>(null)
  const [typed, setTyped] = useState('')
  const look = useChange('POST /api/v1/organizations/{id}/merge', { changesNothing: true })
  const merge = useChange('POST /api/v1/organizations/{id}/merge', {
    onSuccess: async () => {
      onDone()
      if (id === me.organization.id) await reload()
    },
  })
  const report = look.data?.body
  const choose = (chosen: string | null) => {
    setInto(chosen)
    look.reset()
    merge.reset()
    if (chosen !== null) look.mutate({ params: { id }, body: { into: chosen, dryRun: true } })
  }
  return (
    <Stack>
      <Text size="sm">
        {t('Everything of “{{name}}” moves into the organization that you choose, with its history.', {
          name,
        })}
      </Text>
      <Select
        label={t('Into')}
        placeholder={t('Choose an organization')}
        data={all.filter((other) => other.id !== id).map((other) => ({ value: other.id, label: other.name }))}
        value={into}
        onChange={choose}
      />
      {look.isPending && <Text size="sm">{t('Looking at what would happen…')}</Text>}
      <FailedForm error={look.error ?? merge.error} />
      {report && <MergeReport report={report} />}
      {report && report.obstacles.length === 0 && (
        <TextInput
          label={t('Type “{{name}}” to go on', { name })}
          autoComplete="off"
          value={typed}
          onChange={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          {t('Cancel')}
        </Button>
        <Button
          color="red"
          loading={merge.isPending}
          disabled={into === null || !report || report.obstacles.length > 0 || typed !== name}
          onClick={() =>
            into !== null &&
            merge.mutate({ params: { id }, body: { into, confirmation: name, dryRun: false } })
          }
        >
          {t('Merge organizations')}
        </Button>
      </Group>
    </Stack>
  )
}
