import { momentOf } from '../parts/local-minute.ts'

const texts = ['search', 'action', 'actor', 'target', 'outcome', 'instance'] as const

/** What the API is asked for what stands in the address of the page. */
export function queryOf(filters: Record<string, string | undefined>): Record<string, string> {
  const given = texts.flatMap((name) => {
    const value = filters[name]
    return value === undefined ? [] : [[name, value]]
  })
  const times = (['from', 'to'] as const).flatMap((name) => {
    const moment = momentOf(filters[name])
    return moment === undefined ? [] : [[name, moment]]
  })
  return Object.fromEntries([...given, ...times]) as Record<string, string>
}
