import { List, Text } from '@mantine/core'
import type { Plan } from '../../../src/shared/plans.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Confirm } from '../parts/confirm.tsx'

interface DeleteScheduleProps {
  schedule: NamedSchedule
  /** Those that use it. */
  plans: readonly Plan[]
  onClose: () => void
}

export function DeleteSchedule({ schedule: { id, name, usedBy }, plans, onClose }: DeleteScheduleProps) {
  const t = useT()
  const remove = useChange('DELETE /api/v1/schedules/{id}', { onSuccess: onClose })
  const isUsed = usedBy.plans + usedBy.scheduledRestores > 0
  return (
    <Confirm
      isOpen
      onClose={onClose}
      title={t('Delete the schedule “{{name}}”?', { name })}
      action={t('Delete schedule')}
      isPending={remove.isPending}
      isDisabled={isUsed}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { id } })}
    >
      {isUsed ? (
        <>
          <Text size="sm">
            {t('It cannot be deleted while it is used. Give these another schedule first:')}
          </Text>
          <List size="sm">
            {plans.map((plan) => (
              <List.Item key={plan.id}>{plan.name}</List.Item>
            ))}
            {usedBy.plans > plans.length && (
              <List.Item>
                {t('{{count}} plans that you may not see', { count: usedBy.plans - plans.length })}
              </List.Item>
            )}
            {usedBy.scheduledRestores > 0 && (
              <List.Item>{t('{{count}} scheduled restores', { count: usedBy.scheduledRestores })}</List.Item>
            )}
          </List>
        </>
      ) : (
        <Text size="sm">{t('Nothing uses it. Only its name and its rule are lost.')}</Text>
      )}
    </Confirm>
  )
}
