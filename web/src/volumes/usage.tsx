import { Badge, Group, Progress, Stack, Text } from '@mantine/core'
import type { VolumeUsage } from '../../../src/shared/volumes.ts'
import type { CopyState } from '../../../src/shared/snapshots-api.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText, numberText } from '../parts/bytes.tsx'
import { copyFaces } from '../parts/state-badge.tsx'

interface UsageBarProps {
  usage: VolumeUsage
  isLarge?: boolean
}

/** How full a volume is: a bar against its quota, or only how much it holds. */
export function UsageBar({ usage: { occupiedBytes, quota, quotaShare }, isLarge = false }: UsageBarProps) {
  const t = useT()
  const language = useLanguage()
  const used = bytesText(occupiedBytes, language)
  const look = isLarge ? ({ size: 'xl', fw: 600 } as const) : ({ size: 'sm' } as const)
  if (quota === null || quotaShare === null) return <Text {...look}>{used}</Text>
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const text = t('{{used}} of {{quota}} ({{share}})', {
    used,
    quota: bytesText(quota, language),
    share: share.format(quotaShare),
  })
  return (
    <Stack gap={4} miw={140}>
      <Text {...look}>{text}</Text>
      <Progress value={Math.min(quotaShare * 100, 100)} color={colorOf(quotaShare)} aria-label={text} />
    </Stack>
  )
}

function colorOf(share: number): string {
  if (share >= 1) return 'red'
  return share >= 0.9 ? 'orange' : 'harbour'
}

const words: Record<CopyState, string> = {
  stored: msg('{{number}} stored'),
  failed: msg('{{number}} not stored'),
  missing: msg('{{number}} missing'),
  corrupt: msg('{{number}} corrupt'),
  delete_pending: msg('{{number}} being deleted'),
}

/** The copies of a volume by their state; of what is not as it should be only what there is. */
export function CopyCounts({ copies }: { copies: VolumeUsage['copies'] }) {
  const t = useT()
  const language = useLanguage()
  const states = (Object.keys(words) as CopyState[]).filter(
    (state) => state === 'stored' || copies[state] > 0,
  )
  return (
    <Group gap={6}>
      {states.map((state) => (
        <Badge
          key={state}
          color={copies[state] > 0 ? copyFaces[state].color : 'gray'}
          variant="light"
          tt="none"
        >
          {t(words[state], { number: numberText(copies[state], language) })}
        </Badge>
      ))}
    </Group>
  )
}
