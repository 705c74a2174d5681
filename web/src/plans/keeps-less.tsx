import { Text } from '@mantine/core'
import type { DatabaseRetention } from '../../../src/shared/retention-preview.ts'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import { client } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Confirm } from '../parts/confirm.tsx'
import { GoingSnapshots } from '../snapshots/going-snapshots.tsx'
import { type PlanDraft, trialOf } from './plan-draft.ts'

const DAY = 86_400_000

/** What retention would delete within a day if the plan were saved so, and does not as it is. */
export async function lostBySaving(planId: string, draft: PlanDraft): Promise<DatabaseRetention[]> {
  const body = { ...trialOf(draft), until: new Date(Date.now() + DAY).toISOString(), onlyMore: true }
  const page = async (cursor: string | undefined) =>
    await client.ask('POST /api/v1/plans/{id}/retention/preview', {
      params: { id: planId },
      query: { limit: 200, ...(cursor !== undefined && { cursor }) },
      body,
    })
  const found: DatabaseRetention[] = []
  try {
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { body } = await page(cursor)
      found.push(...body.items)
      cursor = body.nextCursor
    }
  } catch (thrown) {
    const error = asAppError(thrown)
    // What is wrong in a field is said there when the plan is saved, which changes nothing then.
    if (error.code === 'invalid_input' && found.length === 0) return []
    throw error
  }
  return found
}

interface KeepsLessProps {
  /** Empty: nothing is asked. */
  lost: readonly DatabaseRetention[]
  onClose: () => void
  onConfirm: () => void
  isPending: boolean
  error: AppError | null
}

/** Asks before a plan is saved that keeps less than before, with exactly the copies that would go. */
export function KeepsLess({ lost, ...question }: KeepsLessProps) {
  const t = useT()
  const snapshots = lost.flatMap(({ database, goes }) =>
    [...Map.groupBy(goes, ({ snapshotId }) => snapshotId)].map(([id, copies]) => ({
      id,
      database,
      takenAt: copies[0]?.takenAt ?? '',
      copies,
    })),
  )
  return (
    <Confirm
      {...question}
      isOpen={lost.length > 0}
      title={t('The plan would keep less than before')}
      action={t('Save plan')}
    >
      <Text size="sm">
        {t('As it is now, the plan keeps these copies. Saved like this, they are deleted within a day.')}
      </Text>
      <GoingSnapshots snapshots={snapshots} bytes={lost.reduce((sum, { bytes }) => sum + bytes, 0)} />
    </Confirm>
  )
}
