import { Accordion, Badge, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { DatabaseRetention } from '../../../src/shared/retention-preview.ts'
import { useAll } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { bytesText } from '../parts/bytes.tsx'
import { DatabaseName } from '../parts/database-name.tsx'
import { localDay } from '../parts/local-day.ts'
import { useNow } from '../parts/when.tsx'
import { useTrial } from '../trial.ts'
import { JudgedCopies } from './judged-copies.tsx'
import { type PlanDraft, trialOf } from './plan-draft.ts'

const WEEK = 7 * 86_400_000

interface SavedRetentionPreviewProps {
  planId: string
  /** Undefined: all of the plan. */
  database?: string
}

/** What retention does with the copies of a plan until a day, as the plan is saved. */
export function SavedRetentionPreview({ planId, database }: SavedRetentionPreviewProps) {
  const [day, setDay] = useState(() => localDay(new Date(Date.now() + WEEK)))
  const found = useAll('GET /api/v1/retention/preview', {
    query: { plan: planId, ...(database !== undefined && { database }), until: endOf(day) },
  })
  return (
    <Stack gap="md">
      <UntilField value={day} onChange={setDay} />
      <Asked question={found}>{(items) => <Judged items={items} isOne={database !== undefined} />}</Asked>
    </Stack>
  )
}

interface RetentionTrialProps {
  planId: string
  draft: PlanDraft
}

/** The same with a policy that is not saved yet. */
export function RetentionTrial({ planId, draft }: RetentionTrialProps) {
  const t = useT()
  const [day, setDay] = useState(() => localDay(new Date(Date.now() + WEEK)))
  const found = useTrial('POST /api/v1/plans/{id}/retention/preview', {
    params: { id: planId },
    query: { limit: 200 },
    body: { ...trialOf(draft), until: endOf(day) },
  })
  return (
    <Stack gap="md">
      <UntilField value={day} onChange={setDay} />
      <Asked question={found}>
        {({ items, nextCursor }) => (
          <>
            <Judged items={items} />
            {nextCursor !== null && (
              <Text size="sm" c="dimmed">
                {t('Only the first {{count}} databases are shown.', { count: items.length })}
              </Text>
            )}
          </>
        )}
      </Asked>
    </Stack>
  )
}

function UntilField({ value, onChange }: { value: string; onChange: (day: string) => void }) {
  const t = useT()
  const now = useNow()
  return (
    <TextInput
      type="date"
      label={t('Until the end of')}
      description={t('If no new backup comes until then')}
      min={localDay(new Date(now))}
      value={value}
      maw={240}
      onChange={({ currentTarget }) => currentTarget.value !== '' && onChange(currentTarget.value)}
    />
  )
}

interface JudgedProps {
  items: readonly DatabaseRetention[]
  /** Of one database, which need not be named. */
  isOne?: boolean
}

function Judged({ items, isOne = false }: JudgedProps) {
  const t = useT()
  const language = useLanguage()
  if (items.length === 0) return <Text c="dimmed">{t('There are no snapshots of this plan yet.')}</Text>
  const goes = items.reduce((sum, { goes }) => sum + goes.length, 0)
  const bytes = items.reduce((sum, { bytes }) => sum + bytes, 0)
  return (
    <Stack gap="sm">
      <Text fw={600} aria-live="polite">
        {goes === 0
          ? t('Nothing goes.')
          : t('{{count}} copies go, {{size}}', { count: goes, size: bytesText(bytes, language) })}
      </Text>
      {isOne ? (
        items.map((item) => <JudgedCopies key={item.database} {...item} headings={3} />)
      ) : (
        <Accordion variant="separated" order={3} multiple keepMounted={false}>
          {items.map(({ database, goes, stays, timeZone }) => (
            <Accordion.Item key={database} value={database}>
              <Accordion.Control>
                <Group justify="space-between" gap="xs" pr="sm">
                  <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
                    <DatabaseName name={database} />
                  </Text>
                  <Group gap={6}>
                    {goes.length > 0 && (
                      <Badge color="orange" variant="light" tt="none">
                        {t('{{count}} go', { count: goes.length })}
                      </Badge>
                    )}
                    <Badge color="green" variant="light" tt="none">
                      {t('{{count}} stay', { count: stays.length })}
                    </Badge>
                  </Group>
                </Group>
              </Accordion.Control>
              <Accordion.Panel>
                <JudgedCopies goes={goes} stays={stays} timeZone={timeZone} headings={4} />
              </Accordion.Panel>
            </Accordion.Item>
          ))}
        </Accordion>
      )}
    </Stack>
  )
}

function endOf(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString()
}
