import { Radio, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Plan } from '../../../src/shared/plans.ts'
import { asking, useChange, useSure } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { numberText } from '../parts/bytes.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { PlanInUse, PlanLosses } from './plan-losses.tsx'

interface DeletePlanProps {
  plan: Plan
  isOpen: boolean
  onClose: () => void
}

/** Deletes a plan, after a word on its snapshots: they stay, under no plan, or go with it. */
export function DeletePlan({ plan: { id, name }, isOpen, onClose }: DeletePlanProps) {
  const t = useT()
  const language = useLanguage()
  const may = useMay()
  const navigate = useNavigate()
  const [fate, setFate] = useState<'keep' | 'delete'>('keep')
  const losses = useSure(asking('GET /api/v1/plans/{id}/losses', { params: { id } }), isOpen)
  const { snapshots = 0, keptCount = 0, scheduledRestores = [], runningBackups = 0 } = losses.data ?? {}
  const isUsed = scheduledRestores.length + runningBackups > 0
  const remove = useChange('DELETE /api/v1/plans/{id}', {
    onSuccess: ({ body }) => {
      if (body && body.keptCount > 0) {
        notifications.show({
          color: 'blue',
          autoClose: false,
          title: t('{{count}} snapshots stay, under no plan', { count: body.keptCount }),
          message: [...new Set(body.kept.map(({ reason }) => reason))].join('\n'),
        })
      }
      const [jobId] = body?.jobIds ?? []
      return navigate({ to: jobId === undefined ? '/plans' : `/jobs/${jobId}` })
    },
  })
  const isDeletingAll = fate === 'delete' && snapshots > 0
  const close = () => {
    remove.reset()
    setFate('keep')
    onClose()
  }
  return (
    <Confirm
      isOpen={isOpen}
      onClose={close}
      title={t('Delete the plan “{{name}}”?', { name })}
      action={isDeletingAll ? t('Delete plan and snapshots') : t('Delete plan')}
      isPending={remove.isPending}
      isDisabled={!losses.isSure || isUsed}
      error={remove.error}
      typed={isDeletingAll && !isUsed ? name : undefined}
      onConfirm={() => remove.mutate({ params: { id }, query: { snapshots: fate } })}
    >
      <Text size="sm">{t('What it says is lost, and nothing of it is backed up by itself any more.')}</Text>
      <Asked question={losses} lines={2}>
        {(losses) =>
          isUsed ? (
            <PlanInUse losses={losses} />
          ) : snapshots + keptCount === 0 ? (
            <Text size="sm">{t('It has no snapshots.')}</Text>
          ) : (
            <Stack gap="md">
              <Radio.Group
                label={t('What becomes of its {{number}} snapshots?', {
                  number: numberText(snapshots + keptCount, language),
                })}
                value={fate}
                onChange={(chosen) => setFate(chosen)}
              >
                <Stack gap="xs" mt="xs">
                  <Radio
                    value="keep"
                    label={t('They stay, under no plan')}
                    description={t('They stay in the list, and no retention takes them any more')}
                  />
                  <Radio
                    value="delete"
                    label={t('They are deleted, with all their copies')}
                    description={may('delete-snapshots') ? undefined : t('Your role does not allow that')}
                    disabled={!may('delete-snapshots')}
                  />
                </Stack>
              </Radio.Group>
              {fate === 'delete' && <PlanLosses losses={losses} />}
            </Stack>
          )
        }
      </Asked>
    </Confirm>
  )
}
