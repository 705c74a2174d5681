import { Sparkline } from '@mantine/charts'
import '@mantine/charts/styles.css'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'

/** How the size of the last snapshots went, the oldest first. */
export default function SizeTrend({ sizes }: { sizes: readonly number[] }) {
  const t = useT()
  const language = useLanguage()
  const values = { from: bytesText(sizes[0] ?? 0, language), to: bytesText(sizes.at(-1) ?? 0, language) }
  return (
    <Sparkline
      role="img"
      aria-label={t('from {{from}} to {{to}}', values)}
      data={[...sizes]}
      w={110}
      h={30}
      strokeWidth={2}
      fillOpacity={0.2}
      curveType="linear"
      areaProps={{ isAnimationActive: false }}
    />
  )
}
