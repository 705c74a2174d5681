import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { useAsk } from '../api.ts'
import { Asked } from '../parts/asked.tsx'

// The library of charts is heavy.
const GrowthChart = lazy(() => import('../overview/growth-chart.tsx'))

const DAYS = 90

/** How many bytes the volume held on each of the last days. */
export function VolumeGrowth({ id }: { id: string }) {
  const history = useAsk('GET /api/v1/overview/history', { query: { days: DAYS } })
  return (
    <Asked question={history}>
      {({ days, storedBytes }) => (
        <Suspense fallback={<Skeleton height={260} />}>
          <GrowthChart
            dates={days.map(({ date }) => date)}
            volumes={storedBytes.filter(({ volumeId }) => volumeId === id)}
          />
        </Suspense>
      )}
    </Asked>
  )
}
