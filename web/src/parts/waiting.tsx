import { Skeleton } from '@mantine/core'
import { type ReactNode, Suspense } from 'react'
import { useT } from '../i18n/i18n.ts'

/** Holds the place of something that is loaded when it is first wanted, such as a chart. */
export function Waiting({ height, children }: { height: number; children: ReactNode }) {
  const t = useT()
  return (
    <Suspense fallback={<Skeleton height={height} role="group" aria-busy="true" aria-label={t('Loading')} />}>
      {children}
    </Suspense>
  )
}
