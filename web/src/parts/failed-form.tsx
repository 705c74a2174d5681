import { useEffect, useRef } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from './failed.tsx'

interface FailedFormProps {
  error: AppError | null
  /** The fields at which what is wrong with them stands already. */
  shown?: readonly string[]
  title?: string
}

/** Why a form was not taken, but for what its fields say themselves: the first of those is led to. */
export function FailedForm({ error, shown = [], title }: FailedFormProps) {
  const t = useT()
  const place = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    if (!error?.fields?.length) return
    place.current?.closest('form')?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [error])
  if (!error) return null
  const isShown = (field: string) => shown.some((name) => field === name || field.startsWith(`${name}.`))
  const fields = error.fields?.filter(({ field }) => !isShown(field))
  // It may be far above, where nobody sees it who has just pressed the button.
  if (error.fields?.length && fields?.length === 0) return <span ref={place} hidden />
  const { code, message, hint } = error
  return (
    <Failed
      error={{ code, message: t(message), hint: hint === undefined ? undefined : t(hint), fields }}
      {...(title !== undefined && { title })}
    />
  )
}
