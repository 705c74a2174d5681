import { Button, Group, Radio, Stack } from '@mantine/core'
import { useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { DayInput } from '../parts/day-input.tsx'
import { Failed } from '../parts/failed.tsx'

interface LockFormProps {
  /** True: until it is unlocked; else until that moment. */
  onLock: (until: true | string) => void
  onCancel: () => void
  isPending: boolean
  error: AppError | null
}

/** For how long something is to be locked. */
export function LockForm({ onLock, onCancel, isPending, error }: LockFormProps) {
  const t = useT()
  const [kind, setKind] = useState('always')
  const [today] = useState(() => new Date())
  const [day, setDay] = useState<string | null>(null)
  const isReady = kind === 'always' || day !== null
  return (
    <Stack>
      <Radio.Group
        label={t('For how long')}
        description={t('What is locked stays, whatever retention or anybody else wants.')}
        value={kind}
        onChange={setKind}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="always" label={t('Until somebody unlocks it')} />
          <Radio value="day" label={t('Until a day')} />
        </Stack>
      </Radio.Group>
      {kind === 'day' && (
        <DayInput
          label={t('Locked until the end of')}
          placeholder="2027-06-30"
          minDate={today}
          value={day}
          onChange={setDay}
        />
      )}
      {error && <Failed error={error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onCancel}>
          {t('Cancel')}
        </Button>
        <Button
          loading={isPending}
          disabled={!isReady}
          onClick={() => onLock(kind === 'always' || day === null ? true : endOf(day))}
        >
          {t('Lock')}
        </Button>
      </Group>
    </Stack>
  )
}

/** The last moment of a day of who looks. */
function endOf(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString()
}
