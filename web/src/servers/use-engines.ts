import { useAsk } from '../api.ts'

/** The kinds of servers, by their names. */
export function useEngines() {
  const { data, ...question } = useAsk('GET /api/v1/engines')
  return {
    ...question,
    data,
    labelOf: (name: string) => data?.items.find((one) => one.name === name)?.label ?? name,
  }
}
