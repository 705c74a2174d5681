import { useMemo } from 'react'
import { qrCode } from './qr-code.ts'

/** Around the code so many light modules must be, so that it is found. */
const MARGIN = 4

/** Black on white, also in the dark: not every camera reads the opposite. */
export function QrPicture({ text, label }: { text: string; label: string }) {
  const modules = useMemo(() => qrCode(text), [text])
  const size = modules.length + 2 * MARGIN
  const dark = modules.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x + MARGIN} ${y + MARGIN}h1v1h-1z`] : [])),
  )
  return (
    <svg viewBox={`0 0 ${size} ${size}`} width={220} height={220} role="img" aria-label={label}>
      <rect width={size} height={size} rx={2} fill="#fff" />
      <path d={dark.join('')} fill="#000" shapeRendering="crispEdges" />
    </svg>
  )
}
