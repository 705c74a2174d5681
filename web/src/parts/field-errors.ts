/** What is wrong with a part of a form: `retention.daily` → `daily`, and `retention` itself → nothing. */
export function errorsBelow(errors: Record<string, string>, part: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors)
      .filter(([field]) => field === part || field.startsWith(`${part}.`))
      .map(([field, message]) => [field.slice(part.length + 1), message]),
  )
}

/** The first thing that is wrong with a field or anything in it. */
export function errorOf(errors: Record<string, string>, field: string): string | undefined {
  return errors[field] ?? Object.entries(errors).find(([name]) => name.startsWith(`${field}.`))?.[1]
}
