import { Anchor, Menu, Stack, Text } from '@mantine/core'
import { IconEdit, IconPlayerPlay, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { Plan } from '../../../src/shared/plans.ts'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { LinkTo } from '../parts/link.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { DeleteSchedule } from './delete-schedule.tsx'
import { RunAll } from './run-all.tsx'
import { RunTime } from './run-time.tsx'

/** So many plans are named in a line. */
const NAMED = 3

interface ScheduleListProps {
  schedules: readonly NamedSchedule[]
  plans: readonly Plan[]
  onEdit: (id: string) => void
}

export function ScheduleList({ schedules, plans, onEdit }: ScheduleListProps) {
  const t = useT()
  const speech = useSpeech()
  const may = useMay()
  const [asked, setAsked] = useState<{ about: 'run' | 'delete'; schedule: NamedSchedule }>()
  const usersOf = (id: string) => plans.filter((plan) => plan.schedules.includes(id))
  const columns: Column<NamedSchedule>[] = [
    {
      title: t('Schedule'),
      isWide: true,
      cell: ({ id, name, meaning }) => (
        <Stack gap={2}>
          {may('manage-schedules') ? (
            <Anchor component="button" type="button" fw={600} ta="left" onClick={() => onEdit(id)}>
              {name}
            </Anchor>
          ) : (
            <Text fw={600}>{name}</Text>
          )}
          <Text size="sm" c="dimmed" fw={400}>
            {describeSchedule(meaning, speech)}
          </Text>
        </Stack>
      ),
    },
    {
      title: t('Next runs'),
      cell: ({ nextRuns, rule }) =>
        nextRuns.length === 0 ? (
          <Text size="sm" c="dimmed">
            {rule.type === 'migration' ? t('when a release asks for it') : t('never')}
          </Text>
        ) : (
          <Stack gap={2}>
            {nextRuns.slice(0, 2).map((at) => (
              <Text key={at} size="sm">
                <RunTime at={at} />
              </Text>
            ))}
          </Stack>
        ),
    },
    {
      title: t('Used by'),
      isWide: true,
      cell: ({ id, usedBy }) => <Users plans={usersOf(id)} scheduledRestores={usedBy.scheduledRestores} />,
    },
    {
      title: '',
      align: 'right',
      cell: (schedule) =>
        (may('run-backups') || may('manage-schedules')) && (
          <RowMenu label={t('More for {{name}}', { name: schedule.name })}>
            {may('run-backups') && (
              <Menu.Item
                leftSection={<IconPlayerPlay size={16} aria-hidden />}
                disabled={usersOf(schedule.id).length === 0}
                onClick={() => setAsked({ about: 'run', schedule })}
              >
                {t('Run all now')}
              </Menu.Item>
            )}
            {may('manage-schedules') && (
              <>
                <Menu.Item
                  leftSection={<IconEdit size={16} aria-hidden />}
                  onClick={() => onEdit(schedule.id)}
                >
                  {t('Edit')}
                </Menu.Item>
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => setAsked({ about: 'delete', schedule })}
                >
                  {t('Delete schedule')}
                </Menu.Item>
              </>
            )}
          </RowMenu>
        ),
    },
  ]
  const close = () => setAsked(undefined)
  return (
    <>
      <DataTable label={t('Schedules')} columns={columns} rows={schedules} idOf={({ id }) => id} />
      {asked?.about === 'run' && (
        <RunAll schedule={asked.schedule} plans={usersOf(asked.schedule.id)} onClose={close} />
      )}
      {asked?.about === 'delete' && (
        <DeleteSchedule schedule={asked.schedule} plans={usersOf(asked.schedule.id)} onClose={close} />
      )}
    </>
  )
}

function Users({ plans, scheduledRestores }: { plans: readonly Plan[]; scheduledRestores: number }) {
  const t = useT()
  if (plans.length === 0 && scheduledRestores === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t('nothing')}
      </Text>
    )
  }
  return (
    <Stack gap={2}>
      {plans.slice(0, NAMED).map(({ id, name, isEnabled }) => (
        <Text key={id} size="sm">
          <Anchor component={LinkTo} to={`/plans/${id}`} size="sm">
            {name}
          </Anchor>{' '}
          {!isEnabled && (
            <Text span size="xs" c="dimmed">
              {t('(switched off)')}
            </Text>
          )}
        </Text>
      ))}
      {plans.length > NAMED && (
        <Text size="sm" c="dimmed">
          {t('and {{count}} more', { count: plans.length - NAMED })}
        </Text>
      )}
      {scheduledRestores > 0 && (
        <Anchor component={LinkTo} to="/restores/scheduled" size="sm">
          {t('{{count}} scheduled restores', { count: scheduledRestores })}
        </Anchor>
      )}
    </Stack>
  )
}
