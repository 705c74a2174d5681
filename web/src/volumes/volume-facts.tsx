import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { Volume } from '../../../src/shared/volumes.ts'
import { useAll, useAsk } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText, numberText } from '../parts/bytes.tsx'
import { CopyValue } from '../parts/copy-value.tsx'
import { Facts } from '../parts/facts.tsx'
import { LinkTo } from '../parts/link.tsx'
import { When } from '../parts/when.tsx'
import { VolumeIcon } from './volume-icon.tsx'

/** Where a volume is, what limits it, and which plans use it. */
export function VolumeFacts({ volume }: { volume: Volume }) {
  const t = useT()
  const language = useLanguage()
  const kinds = useAsk('GET /api/v1/volume-kinds')
  const plans = useAll('GET /api/v1/plans', { query: { volume: volume.id } })
  const { id, kind, location, quota, quotaAction, bandwidth, maxRunning, isReadOnly, createdAt } = volume
  const label = kinds.data?.items.find(({ name }) => name === kind)?.label ?? kind
  const atQuota = quotaAction === 'warn' ? t('then backups say so') : t('then backups are not written to it')
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Group gap="sm" wrap="nowrap">
          <VolumeIcon kind={kind} />
          <Stack gap={0}>
            <Title order={2} size="h4">
              {t(label)}
            </Title>
            <Text size="sm" c={location === null ? 'red' : 'dimmed'} style={{ overflowWrap: 'anywhere' }}>
              {location ?? t('Its settings are not valid any more')}
            </Text>
          </Stack>
        </Group>
        <Facts
          facts={[
            [
              t('Quota'),
              quota === null
                ? t('No limit')
                : t('{{quota}}, {{action}}', { quota: bytesText(quota, language), action: atQuota }),
            ],
            [
              t('Bandwidth'),
              bandwidth === null
                ? t('No limit')
                : t('{{bytes}} per second', { bytes: bytesText(bandwidth, language) }),
            ],
            [t('Jobs at once'), numberText(maxRunning, language)],
            [t('Read only'), isReadOnly ? t('Yes: nothing on it is changed') : t('No')],
            [
              t('Plans'),
              plans.data && (
                <Stack key="plans" gap={6}>
                  {plans.data.length === 0 && t('No plan uses it')}
                  {plans.data.map((plan) => (
                    <Anchor key={plan.id} component={LinkTo} to={`/plans/${plan.id}`} size="sm">
                      {plan.name}
                    </Anchor>
                  ))}
                </Stack>
              ),
            ],
            [t('Added'), <When key="added" at={createdAt} />],
            [t('Id'), <CopyValue key="id" value={id} label={t('Copy the id')} />],
          ]}
        />
      </Stack>
    </Paper>
  )
}
