import { Switch } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { Plan } from '../../../src/shared/plans.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'

/** Whether the plan runs by itself. */
export function PlanSwitch({ plan: { id, name, isEnabled } }: { plan: Plan }) {
  const t = useT()
  const may = useMay()
  const change = useChange('PATCH /api/v1/plans/{id}')
  const isOn = change.isPending ? change.variables.body.isEnabled === true : isEnabled
  const { mutate } = change
  return (
    <Switch
      aria-label={t('“{{name}}” runs by itself', { name })}
      checked={isOn}
      disabled={!may('manage-plans')}
      onChange={({ currentTarget }) =>
        mutate(
          { params: { id }, body: { isEnabled: currentTarget.checked } },
          { onError: ({ message }) => notifications.show({ color: 'red', message }) },
        )
      }
    />
  )
}
