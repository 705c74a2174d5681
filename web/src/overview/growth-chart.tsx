import { AreaChart } from '@mantine/charts'
import '@mantine/charts/styles.css'
import { Text } from '@mantine/core'
import type { OverviewHistory } from '../../../src/shared/overview.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'

interface GrowthChartProps {
  /** `2026-11-27` */
  dates: readonly string[]
  volumes: OverviewHistory['storedBytes']
}

const colors = ['harbour.7', 'orange.6', 'grape.6', 'green.7', 'red.6', 'blue.6', 'yellow.8', 'gray.6']

/** How many bytes each volume held on which day. */
export default function GrowthChart({ dates, volumes }: GrowthChartProps) {
  const t = useT()
  const language = useLanguage()
  if (volumes.every(({ bytes }) => bytes.every((count) => count === 0))) {
    return <Text c="dimmed">{t('Nothing is stored yet.')}</Text>
  }
  const day = new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric', timeZone: 'UTC' })
  const data = dates.map((date, index) => ({
    day: day.format(new Date(date)),
    ...Object.fromEntries(volumes.map(({ volumeId, bytes }) => [volumeId, bytes[index] ?? 0])),
  }))
  return (
    <AreaChart
      role="img"
      aria-label={volumes
        .map(({ name, bytes }) => `${name}: ${bytesText(bytes.at(-1) ?? 0, language)}`)
        .join(', ')}
      h={260}
      type="stacked"
      data={data}
      dataKey="day"
      series={volumes.map(({ volumeId, name }, index) => ({
        name: volumeId,
        label: name,
        color: colors[index % colors.length] ?? 'gray.6',
      }))}
      withDots={false}
      withLegend
      curveType="linear"
      valueFormatter={(bytes) => bytesText(bytes, language)}
      yAxisProps={{ width: 80 }}
      xAxisProps={{ minTickGap: 30 }}
      areaProps={{ isAnimationActive: false }}
    />
  )
}
