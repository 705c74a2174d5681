import { Skeleton, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { asAppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from './failed.tsx'

interface Question<Data> {
  data: Data | undefined
  error: unknown
  refetch: () => unknown
}

interface AskedProps<Data> {
  question: Question<Data>
  /** How many lines stand there until the answer comes. */
  lines?: number
  children: (data: Data) => ReactNode
}

/** The face of a question to the API: waiting, failed with a way to try again, stale, or answered. */
export function Asked<Data>({ question: { data, error, refetch }, lines = 4, children }: AskedProps<Data>) {
  const t = useT()
  if (data === undefined) {
    if (error) return <Failed error={asAppError(error)} retry={refetch} />
    return (
      <Stack gap="sm" role="group" aria-busy="true" aria-label={t('Loading')}>
        {Array.from({ length: lines }, (_, index) => (
          <Skeleton key={index} height={36} />
        ))}
      </Stack>
    )
  }
  return (
    <>
      {error ? (
        <Failed title={t('This may not be true any more')} error={asAppError(error)} retry={refetch} />
      ) : null}
      {children(data)}
    </>
  )
}
