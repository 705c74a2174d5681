/** Those of one kind that use something. */
export interface Users {
  /** `plan` */
  what: string
  names: readonly string[]
}

/** In a sentence; the others are counted. */
const NAMED = 5

/** `the plans “a”, “b” and 3 more, and by the scheduled restore “c”`; undefined if nobody uses it. */
export function usersInWords(users: readonly Users[]): string | undefined {
  const groups = users.filter(({ names }) => names.length > 0).map(inWords)
  return groups.length > 0 ? groups.join(', and by ') : undefined
}

function inWords({ what, names }: Users): string {
  const parts = names.slice(0, NAMED).map((name) => `“${name}”`)
  if (names.length > NAMED) parts.push(`${names.length - NAMED} more`)
  const last = parts.pop()
  const list = parts.length > 0 ? `${parts.join(', ')} and ${last}` : last
  return `the ${what}${names.length === 1 ? '' : 's'} ${list}`
}
