import {
  type SnapshotSort,
  snapshotSorts,
  type SortOrder,
  usualOrders,
} from '../../../src/shared/snapshots-api.ts'
import { useFilters } from '../filters.ts'

/** In which order a list of snapshots is. */
export interface SnapshotSorting {
  sort: SnapshotSort
  order: SortOrder
  /** In the order that is usual for it; in the other one if they are sorted by it already. */
  sortBy: (sort: SnapshotSort) => void
  setSorting: (sort: SnapshotSort, order: SortOrder) => void
}

/** As the address has it: `?sort=storedBytes&order=asc`; what is usual is not written there. */
export function useSnapshotSorting(): SnapshotSorting {
  const [filters, setFilters] = useFilters()
  const sort = snapshotSorts.find((name) => name === filters['sort']) ?? 'takenAt'
  const order = (['asc', 'desc'] as const).find((name) => name === filters['order']) ?? usualOrders[sort]
  const setSorting = (sort: SnapshotSort, order: SortOrder) =>
    setFilters({
      sort: sort === 'takenAt' ? undefined : sort,
      order: order === usualOrders[sort] ? undefined : order,
    })
  const sortBy = (chosen: SnapshotSort) => {
    if (chosen !== sort) setSorting(chosen, usualOrders[chosen])
    else setSorting(chosen, order === 'asc' ? 'desc' : 'asc')
  }
  return { sort, order, sortBy, setSorting }
}
