import { AreaChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'
import { shortTime } from '../parts/when.tsx'

/** The size of the dump and of what is stored of it, snapshot by snapshot. */
export default function SizeChart({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const t = useT()
  const language = useLanguage()
  const data = snapshots.toReversed().map(({ takenAt, rawBytes, storedBytes }) => ({
    at: shortTime(takenAt, language),
    rawBytes,
    storedBytes,
  }))
  return (
    <AreaChart
      role="img"
      aria-label={t('The dump had {{from}} at first, and has {{to}} now.', {
        from: bytesText(data[0]?.rawBytes ?? 0, language),
        to: bytesText(data.at(-1)?.rawBytes ?? 0, language),
      })}
      h={220}
      data={data}
      dataKey="at"
      series={[
        { name: 'rawBytes', label: t('Dump'), color: 'harbour.7' },
        { name: 'storedBytes', label: t('Stored'), color: 'orange.6' },
      ]}
      curveType="linear"
      withDots={data.length < 40}
      withLegend
      valueFormatter={(bytes) => bytesText(bytes, language)}
      yAxisProps={{ width: 80 }}
      xAxisProps={{ minTickGap: 40 }}
      areaProps={{ isAnimationActive: false }}
    />
  )
}
