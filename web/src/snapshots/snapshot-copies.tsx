import { Badge, Group, Stack, Text, Tooltip } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconClock, IconX } from '@tabler/icons-react'
import type { Copy, CopyState } from '../../../src/shared/snapshots-api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { copyFaces } from '../parts/state-badge.tsx'
import { exactTime } from '../parts/when.tsx'

const icons: Record<CopyState, typeof IconCheck> = {
  stored: IconCheck,
  failed: IconX,
  missing: IconX,
  corrupt: IconX,
  delete_pending: IconClock,
}

interface CopyChipsProps {
  copies: readonly Copy[]
  /** Within what is chosen as a whole: then they take no focus of their own. */
  isStatic?: boolean
}

/** Each copy by its volume and in the colour of its state; if none is good, that is said first. */
export function CopyChips({ copies, isStatic = false }: CopyChipsProps) {
  return (
    <Stack gap={6}>
      {!hasGoodCopy(copies) && <NoGoodCopy />}
      <Group gap={6}>
        {copies.map((copy) => (
          <CopyChip key={copy.volumeId} copy={copy} isStatic={isStatic} />
        ))}
      </Group>
    </Stack>
  )
}

export function hasGoodCopy(copies: readonly Pick<Copy, 'state'>[]): boolean {
  return copies.some(({ state }) => state === 'stored')
}

function NoGoodCopy() {
  const t = useT()
  return (
    <Badge color="red" variant="filled" tt="none" leftSection={<IconAlertTriangle size={12} aria-hidden />}>
      {t('No copy is good')}
    </Badge>
  )
}

function CopyChip({ copy, isStatic }: { copy: Copy; isStatic: boolean }) {
  const { volumeName, state, error, checkedAt } = copy
  const t = useT()
  const language = useLanguage()
  const { color, word } = copyFaces[state]
  const Icon = icons[state]
  const checked =
    checkedAt === null
      ? t('not checked yet')
      : t('checked at {{time}}', { time: exactTime(checkedAt, language) })
  return (
    <Tooltip
      label={
        <>
          <Text size="xs">
            {volumeName}: {t(word)}, {checked}
          </Text>
          {error && <Text size="xs">{error.message}</Text>}
        </>
      }
    >
      <Badge
        color={color}
        variant="light"
        tt="none"
        maw={200}
        tabIndex={isStatic ? undefined : 0}
        leftSection={<Icon size={12} aria-hidden />}
        aria-label={t('{{volume}}: {{state}}', { volume: volumeName, state: t(word) })}
        role="img"
      >
        {volumeName}
      </Badge>
    </Tooltip>
  )
}
