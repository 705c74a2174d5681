import { Button, type ButtonProps, Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconChevronDown, IconPlayerPlay } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { Plan } from '../../../src/shared/plans.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'

interface BackUpNowProps extends ButtonProps {
  /** Those that can be run: one is run at once, of several one is chosen. */
  plans: readonly Pick<Plan, 'id' | 'name'>[]
}

/** Backs up what a plan says, and leads to where that can be followed. */
export function BackUpNow({ plans, ...button }: BackUpNowProps) {
  const t = useT()
  const may = useMay()
  const { run, isPending } = useRun()
  const [first, ...others] = plans
  if (!first || !may('run-backups')) return null
  const common = { loading: isPending, leftSection: <IconPlayerPlay size={16} aria-hidden />, ...button }
  if (others.length === 0) {
    return (
      <Button {...common} onClick={() => run(first.id)}>
        {t('Back up now')}
      </Button>
    )
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button {...common} rightSection={<IconChevronDown size={14} aria-hidden />}>
          {t('Back up now')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('Which plan?')}</Menu.Label>
        {plans.map(({ id, name }) => (
          <Menu.Item key={id} onClick={() => run(id)}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Runs a plan; what hinders it is told where the person looks. */
export function useRun() {
  const t = useT()
  const navigate = useNavigate()
  const { mutate, isPending } = useChange('POST /api/v1/plans/{id}/run', {
    onSuccess: ({ body }) => 'jobId' in body && navigate({ to: `/jobs/${body.jobId}` }),
  })
  const run = (id: string) =>
    mutate(
      { params: { id }, body: {} },
      {
        onError: ({ message, hint }) =>
          notifications.show({
            color: 'red',
            title: t('The backup could not begin'),
            message: hint ?? message,
          }),
      },
    )
  return { run, isPending }
}
