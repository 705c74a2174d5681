import { Alert, Text } from '@mantine/core'
import { AppError, type ErrorCode, errors } from '../../../src/shared/errors.ts'
import type { Job } from '../../../src/shared/jobs.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'

/** Why it has failed, or its last attempt has; one that was left out has failed in nothing. */
export function Trouble({
  job: { state, attempt, maxAttempts },
  error,
}: {
  job: Job
  error: NonNullable<Job['error']>
}) {
  const t = useT()
  if (state === 'cancelled' || state === 'partial' || state === 'succeeded') {
    return (
      <Alert
        color="gray"
        variant="light"
        title={state === 'cancelled' ? t('It was left out') : t('Something is to be said')}
      >
        <Text size="sm">{error.message}</Text>
        {error.hint !== undefined && <Text size="sm">{error.hint}</Text>}
      </Alert>
    )
  }
  return (
    <Failed
      title={
        state === 'failed'
          ? t('It has failed')
          : t('Attempt {{attempt}} of {{maxAttempts}} has failed; it will be tried again', {
              attempt,
              maxAttempts,
            })
      }
      error={told(error)}
    />
  )
}

/** As an error of the app; a newer app may have codes that this page does not know. */
function told({ code, message, hint }: NonNullable<Job['error']>): AppError {
  const known = Object.hasOwn(errors, code) ? (code as ErrorCode) : 'internal'
  return new AppError(known, message, hint === undefined ? {} : { hint })
}
