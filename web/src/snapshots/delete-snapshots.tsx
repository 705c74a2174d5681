import { Alert, Checkbox, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useState } from 'react'
import { asAppError } from '../../../src/shared/errors.ts'
import type { Deletion } from '../../../src/shared/snapshots-api.ts'
import { client, useChange, useSure } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { shortName } from '../parts/database-name.tsx'
import { exactTime } from '../parts/when.tsx'
import { GoingSnapshots } from './going-snapshots.tsx'
import { StayingSnapshots } from './staying-snapshots.tsx'

type Going = Deletion['snapshots'][number]

interface DeleteSnapshotsProps {
  /** Empty: nothing is asked. */
  ids: readonly string[]
  onClose: () => void
  /** The dialog waits for what is done then. */
  onDeleted: () => unknown
}

/** Says exactly which copies would go and what is refused, and deletes what may go. */
export function DeleteSnapshots({ ids, onClose, onDeleted }: DeleteSnapshotsProps) {
  const t = useT()
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const isOpen = ids.length > 0
  const preview = useSure<Deletion>(
    {
      queryKey: ['POST /api/v1/snapshots/delete', 'dry run', ids],
      queryFn: async ({ signal }) => {
        try {
          // What is only refused because it is the newest is asked about below.
          const body = { ids: [...ids], dryRun: true, newest: true }
          return (await client.ask('POST /api/v1/snapshots/delete', { body, signal })).body
        } catch (error) {
          signal.throwIfAborted()
          throw asAppError(error)
        }
      },
    },
    isOpen,
  )
  const close = () => {
    setTicked(new Set())
    remove.reset()
    onClose()
  }
  const remove = useChange('POST /api/v1/snapshots/delete', {
    onSuccess: ({ body }) => {
      notifications.show({
        message: t('{{count}} snapshots are being deleted', { count: body.snapshots.length }),
        color: 'green',
      })
      setTicked(new Set())
      return onDeleted()
    },
  })
  const all = preview.data?.snapshots ?? []
  const refused = all.flatMap(({ refusal, ...snapshot }) =>
    refusal === null ? [] : [{ ...snapshot, reason: refusal }],
  )
  const allowed = all.filter(({ refusal }) => refusal === null)
  const newest = allowed.filter(({ isNewest }) => isNewest)
  const going = allowed.filter(({ id, isNewest }) => !isNewest || ticked.has(id))
  const tick = (id: string, isTicked: boolean) => {
    const next = new Set(ticked)
    if (isTicked) next.add(id)
    else next.delete(id)
    setTicked(next)
  }
  return (
    <Confirm
      isOpen={isOpen}
      onClose={close}
      title={ids.length === 1 ? t('Delete this snapshot') : t('Delete snapshots')}
      action={t('Delete {{count}} snapshots', { count: going.length })}
      isDisabled={!preview.isSure || going.length === 0}
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate({
          body: { ids: going.map(({ id }) => id), newest: going.some(({ isNewest }) => isNewest) },
        })
      }
    >
      <Asked question={preview} lines={3}>
        {() => (
          <Stack>
            {newest.length > 0 && <Newest snapshots={newest} ticked={ticked} onTick={tick} />}
            {refused.length > 0 && <StayingSnapshots snapshots={refused} />}
            {going.length > 0 && (
              <GoingSnapshots
                snapshots={going}
                bytes={going.flatMap(({ copies }) => copies).reduce((sum, { bytes }) => sum + bytes, 0)}
              />
            )}
          </Stack>
        )}
      </Asked>
    </Confirm>
  )
}

interface NewestProps {
  snapshots: readonly Going[]
  ticked: ReadonlySet<string>
  onTick: (id: string, isTicked: boolean) => void
}

/** Each of them is the last that would help: none goes without a tick of its own. */
function Newest({ snapshots, ticked, onTick }: NewestProps) {
  const t = useT()
  const language = useLanguage()
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('The newest good snapshot of a database')}
    >
      <Stack gap="xs">
        <Text size="sm">{t('Without a tick it stays.')}</Text>
        {snapshots.map(({ id, database, serverName, takenAt }) => (
          <Checkbox
            key={id}
            checked={ticked.has(id)}
            onChange={({ currentTarget }) => onTick(id, currentTarget.checked)}
            label={t('Also delete the newest of {{database}} on {{server}}, of {{time}}', {
              database: shortName(database),
              server: serverName,
              time: exactTime(takenAt, language),
            })}
          />
        ))}
      </Stack>
    </Alert>
  )
}
