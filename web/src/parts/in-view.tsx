import { Box } from '@mantine/core'
import { type ReactNode, useEffect, useRef, useState } from 'react'

/** Shows what is in it when it is about to be seen: what is heavy and far below need not be loaded before. */
export function InView({ height, children }: { height: number; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null)
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const { current } = place
    if (!current) return undefined
    const watch = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && setSeen(true),
      { rootMargin: '100px' },
    )
    watch.observe(current)
    return () => watch.disconnect()
  }, [])
  return (
    <Box ref={place} mih={height}>
      {isSeen && children}
    </Box>
  )
}
