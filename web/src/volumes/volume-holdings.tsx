import { Anchor, Stack, Text } from '@mantine/core'
import { type CopyState, copyStates } from '../../../src/shared/snapshots-api.ts'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes } from '../parts/bytes.tsx'
import { Facts } from '../parts/facts.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { CopyStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { UsageBar } from './usage.tsx'

/** How much lies on a volume, and how its copies are. */
export function VolumeHoldings({ id }: { id: string }) {
  const t = useT()
  const usage = useAsk('GET /api/v1/volumes/{id}/usage', { params: { id } })
  return (
    <Section title={t('What it holds')}>
      <Asked question={usage}>
        {(usage) => (
          <>
            <UsageBar usage={usage} isLarge />
            <Stack gap="xs" component="ul" m={0} p={0} aria-label={t('Copies by state')}>
              {copyStates
                .filter((state) => state === 'stored' || usage.copies[state] > 0)
                .map((state) => (
                  <CopyLine key={state} id={id} state={state} number={usage.copies[state]} />
                ))}
            </Stack>
            <Facts
              facts={[
                [
                  t('Good copies'),
                  usage.bytes === usage.occupiedBytes ? undefined : <Bytes key="bytes" of={usage.bytes} />,
                ],
                [t('Oldest snapshot'), <When key="oldest" at={usage.oldest} />],
                [t('Newest snapshot'), <When key="newest" at={usage.newest} />],
              ]}
            />
            {usage.copies.stored === 0 && (
              <Text size="sm" c="dimmed">
                {t('Nothing lies here yet. Choose this volume in a plan, or import what is on it below.')}
              </Text>
            )}
          </>
        )}
      </Asked>
    </Section>
  )
}

function CopyLine({ id, state, number }: { id: string; state: CopyState; number: number }) {
  const t = useT()
  return (
    <Stack component="li" gap={0} style={{ listStyle: 'none' }}>
      <Text size="sm" component="div">
        <CopyStateBadge state={state} mr="xs" />
        <Anchor component={LinkTo} to="/snapshots" search={{ volume: id, copy: state }} size="sm">
          {t('{{count}} copies', { count: number })}
        </Anchor>
      </Text>
    </Stack>
  )
}
