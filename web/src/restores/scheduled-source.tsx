import { NumberInput, Select, Switch } from '@mantine/core'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { DatabaseField } from './database-field.tsx'
import type { ServersProps } from './scheduled-parts.ts'

/** Which snapshot is taken each time. */
export function Source({ draft, change, errors, servers }: ServersProps) {
  const t = useT()
  const plans = useAll('GET /api/v1/plans')
  const { sourceServerId, sourceDatabase, planId } = draft
  const ofServer = (plans.data ?? []).filter(({ serverId }) => serverId === sourceServerId)
  return (
    <>
      <Select
        label={t('Server')}
        withAsterisk
        data={servers.map(({ id, name }) => ({ value: id, label: name }))}
        value={sourceServerId}
        error={errors['sourceServerId']}
        searchable
        onChange={(id) => change({ sourceServerId: id, planId: null })}
      />
      <DatabaseField
        serverId={sourceServerId}
        label={t('Database')}
        value={sourceDatabase}
        error={errors['sourceDatabase']}
        onChange={(name) => change({ sourceDatabase: name })}
      />
      <Select
        label={t('Only snapshots of the plan')}
        placeholder={t('Of any plan, or none')}
        data={ofServer.map(({ id, name }) => ({ value: id, label: name }))}
        value={planId}
        error={errors['planId']}
        clearable
        onChange={(planId) => change({ planId })}
      />
      <NumberInput
        label={t('Not older than')}
        description={t('In hours. If the newest snapshot is older, nothing is restored.')}
        min={1}
        max={8784}
        allowDecimal={false}
        styles={{ wrapper: { maxWidth: 220 } }}
        value={draft.newestWithinHours}
        error={errors['newestWithinHours']}
        onChange={(hours) => change({ newestWithinHours: hours === '' ? '' : Number(hours) })}
      />
      <Switch
        label={t('Leave out a snapshot that was restored before')}
        description={t('By hand it is restored again all the same.')}
        checked={draft.skipUnchanged}
        onChange={({ currentTarget }) => change({ skipUnchanged: currentTarget.checked })}
      />
    </>
  )
}
