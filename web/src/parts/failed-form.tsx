import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from './failed.tsx'

interface FailedFormProps {
  error: AppError | null
  /** The fields at which what is wrong with them stands already. */
  shown?: readonly string[]
  title?: string
}

/** Why a form was not taken, but for what its fields say themselves. */
export function FailedForm({ error, shown = [], title }: FailedFormProps) {
  const t = useT()
  if (!error) return null
  const isShown = (field: string) => shown.some((name) => field === name || field.startsWith(`${name}.`))
  const fields = error.fields?.filter(({ field }) => !isShown(field))
  if (error.fields?.length && fields?.length === 0) return null
  const { code, message, hint } = error
  return (
    <Failed
      error={{ code, message: t(message), hint: hint === undefined ? undefined : t(hint), fields }}
      {...(title !== undefined && { title })}
    />
  )
}
