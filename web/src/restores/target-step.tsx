import { Alert, Autocomplete, Group, Radio, Stack, Text, TextInput } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { type RestoreMode, restoreModes as modeNames } from '../../../src/shared/restores.ts'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Failed } from '../parts/failed.tsx'
import { ServerBadges } from '../servers/server-badges.tsx'
import { besideName } from './beside-name.ts'
import { isOfServer, type RestoreDraft } from './restore-draft.ts'
import { restoreModes } from './restore-modes.ts'

interface TargetStepProps {
  snapshot: Snapshot
  draft: RestoreDraft
  onChange: (changes: Partial<RestoreDraft>) => void
}

/** Where the snapshot goes: the server, and which database of it. */
export function TargetStep({ snapshot, draft, onChange }: TargetStepProps) {
  const t = useT()
  const servers = useAll('GET /api/v1/servers')
  return (
    <Stack gap="lg">
      <Asked question={servers}>
        {(all) => {
          const fitting = all.filter(({ engine }) => engine === snapshot.engine)
          const others = all.length - fitting.length
          return (
            <Radio.Group
              label={t('Server')}
              description={
                others > 0
                  ? t('{{count}} servers of other engines are not shown.', { count: others })
                  : undefined
              }
              value={draft.serverId}
              onChange={(serverId) => onChange({ serverId })}
            >
              <Stack gap="xs" mt="xs">
                {fitting.map((server) => (
                  <Radio.Card
                    key={server.id}
                    value={server.id}
                    p="sm"
                    disabled={server.isProtected}
                    aria-label={server.name}
                  >
                    <Group wrap="nowrap" gap="sm" align="flex-start">
                      <Radio.Indicator mt={2} disabled={server.isProtected} />
                      <Stack gap={4}>
                        <Text fw={500} size="sm">
                          {server.name}
                        </Text>
                        <ServerBadges server={server} />
                        {server.isProtected && (
                          <Text size="sm">
                            {t('Nothing may be restored into this server: it is protected.')}
                          </Text>
                        )}
                      </Stack>
                    </Group>
                  </Radio.Card>
                ))}
                {fitting.length === 0 && <Text size="sm">{t('There is no server of the same engine.')}</Text>}
              </Stack>
            </Radio.Group>
          )
        }}
      </Asked>
      {isOfServer(snapshot) ? (
        <Alert color="blue" variant="light" icon={<IconInfoCircle aria-hidden />}>
          {t(
            'This snapshot holds what belongs to a server itself, like its roles. It is added to the server; what is there stays.',
          )}
        </Alert>
      ) : (
        draft.serverId !== null && (
          <DatabaseChoice serverId={draft.serverId} snapshot={snapshot} draft={draft} onChange={onChange} />
        )
      )}
    </Stack>
  )
}

function DatabaseChoice({ serverId, snapshot, draft, onChange }: TargetStepProps & { serverId: string }) {
  const t = useT()
  const databases = useAsk('GET /api/v1/servers/{id}/databases', { params: { id: serverId } })
  const existing = databases.data?.items ?? []
  const { mode, database } = draft
  const choose = (mode: RestoreMode) => {
    const wasSuggested =
      database === '' || database === besideName(snapshot.database) || existing.includes(database)
    const suggested = mode === 'new' ? besideName(snapshot.database) : ''
    onChange({ mode, ...(wasSuggested && { database: suggested }) })
  }
  const isTaken = mode === 'new' && existing.includes(database)
  return (
    <>
      <Radio.Group label={t('How')} value={mode} onChange={(chosen) => choose(chosen)}>
        <Stack gap="sm" mt="xs">
          {modeNames.map((name) => (
            <Radio
              key={name}
              value={name}
              label={t(restoreModes[name].title)}
              description={t(restoreModes[name].about)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {databases.error && (
        <Failed
          title={t('The databases of this server could not be asked for')}
          error={databases.error}
          retry={databases.refetch}
        />
      )}
      {mode === 'new' ? (
        <TextInput
          label={t('Name of the new database')}
          withAsterisk
          maw={480}
          spellCheck={false}
          autoComplete="off"
          value={database}
          error={isTaken ? t('There is a database of this name already.') : undefined}
          onChange={({ currentTarget }) => onChange({ database: currentTarget.value })}
        />
      ) : (
        <Autocomplete
          label={mode === 'replace' ? t('Database that is replaced') : t('Database that is added to')}
          withAsterisk
          maw={480}
          data={existing}
          value={database}
          onChange={(name) => onChange({ database: name })}
        />
      )}
    </>
  )
}
