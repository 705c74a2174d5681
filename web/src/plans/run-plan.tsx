import { Button, Group, MultiSelect, Stack, TagsInput, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Plan } from '../../../src/shared/plans.ts'
import { asking, fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { errorOf } from '../parts/field-errors.ts'

interface RunPlanProps {
  plan: Plan
  isOpen: boolean
  onClose: () => void
}

/** Backs up some of a plan’s databases now, with a comment. */
export function RunPlan({ plan, isOpen, onClose }: RunPlanProps) {
  const t = useT()
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={t('Back up “{{name}}” now', { name: plan.name })}
      size="lg"
    >
      <RunForm planId={plan.id} onClose={onClose} />
    </Dialog>
  )
}

function RunForm({ planId, onClose }: { planId: string; onClose: () => void }) {
  const t = useT()
  const navigate = useNavigate()
  const [databases, setDatabases] = useState<string[]>([])
  const [comment, setComment] = useState('')
  const matches = useQuery(asking('GET /api/v1/plans/{id}/databases', { params: { id: planId } }))
  const names = matches.data?.items.filter(({ isIncluded }) => isIncluded).map(({ database }) => database)
  const run = useChange('POST /api/v1/plans/{id}/run', {
    onSuccess: ({ body }) => 'jobId' in body && navigate({ to: `/jobs/${body.jobId}` }),
  })
  const field = {
    label: t('Databases'),
    description: t('None chosen: all of the plan'),
    value: databases,
    error: errorOf(fieldErrors(run.error), 'databases'),
    onChange: setDatabases,
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        run.mutate({
          params: { id: planId },
          body: {
            ...(databases.length > 0 && { databases }),
            ...(comment.trim() !== '' && { comment: comment.trim() }),
          },
        })
      }}
    >
      <Stack>
        {matches.error ? (
          <>
            <Failed
              title={t('The databases could not be listed')}
              error={matches.error}
              retry={matches.refetch}
            />
            <TagsInput {...field} acceptValueOnBlur />
          </>
        ) : (
          <MultiSelect {...field} data={names ?? []} searchable hidePickedOptions />
        )}
        <Textarea
          label={t('Comment')}
          description={t('It stands at the snapshots')}
          autosize
          minRows={2}
          maxLength={2000}
          value={comment}
          onChange={({ currentTarget }) => setComment(currentTarget.value)}
        />
        <FailedForm error={run.error} shown={['databases']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('Cancel')}
          </Button>
          <Button
            type="submit"
            loading={run.isPending}
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
          >
            {t('Back up now')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
