import { useNavigate, useSearch } from '@tanstack/react-router'

type Filters = Record<string, string | undefined>

/**
 * What a page is limited to, which stands in its address so that it can be sent to others: `?state=failed`. Setting
 * undefined or nothing takes a filter away.
 */
export function useFilters(): [Filters, (changes: Filters) => void] {
  const filters = useSearch({ strict: false }) as Filters
  const navigate = useNavigate()
  return [
    filters,
    (changes) => {
      const next = Object.fromEntries(Object.entries({ ...filters, ...changes }).filter(([, value]) => value))
      void navigate({ to: '.', search: next, replace: true })
    },
  ]
}

/** What the address says after a page's name: `/servers/$id`. */
export { useParams } from '@tanstack/react-router'
