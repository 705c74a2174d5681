import { Anchor, Button, Code, Group, List, Stack, Text } from '@mantine/core'
import { IconFileSearch } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Job } from '../../../src/shared/jobs.ts'
import { type VolumeScan, volumeScan } from '../../../src/shared/volumes.ts'
import { useChange, useListed } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { numberText } from '../parts/bytes.tsx'
import { Facts } from '../parts/facts.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'

/** Adopts what lies on a volume and the catalogue does not know, and says what came of it the last time. */
export function ImportSnapshots({ id }: { id: string }) {
  const t = useT()
  const may = useMay()
  const scan = useChange('POST /api/v1/volumes/{id}/scan')
  const scans = useListed('GET /api/v1/jobs', { volume: id, kind: 'scan-volume', limit: 1 })
  const last = scans.items?.[0]
  const isAtWork = last?.state === 'queued' || last?.state === 'running'
  return (
    <Section
      title={t('Import')}
      about={t(
        'Reads all manifests on the volume and adopts the snapshots that the catalogue does not know: after the app was lost, or from another installation. Nothing is written to the volume.',
      )}
    >
      {may('manage-volumes') && (
        <Group>
          <Button
            variant="default"
            leftSection={<IconFileSearch size={16} aria-hidden />}
            loading={scan.isPending}
            disabled={isAtWork}
            onClick={() => scan.mutate({ params: { id } })}
          >
            {t('Scan for snapshots')}
          </Button>
        </Group>
      )}
      {scan.error && <Failed error={scan.error} />}
      {scans.error && <Failed error={scans.error} retry={scans.refetch} />}
      {last && <LastScan job={last} />}
    </Section>
  )
}

function LastScan({ job: { id, state, createdAt, finishedAt, result, error } }: { job: Job }) {
  const t = useT()
  const found = volumeScan.safeParse(result)
  return (
    <Stack gap="sm" aria-live="polite">
      <Group gap="sm">
        <JobStateBadge state={state} />
        <Anchor component={LinkTo} to={`/jobs/${id}`} size="sm">
          {t('The last scan')}
        </Anchor>
        <Text size="sm" c="dimmed">
          <When at={finishedAt ?? createdAt} />
        </Text>
      </Group>
      {error && <Text size="sm">{error.message}</Text>}
      {found.success && <ScanResult scan={found.data} />}
    </Stack>
  )
}

function ScanResult({ scan }: { scan: VolumeScan }) {
  const t = useT()
  const language = useLanguage()
  const number = (value: number) => numberText(value, language)
  return (
    <Stack gap="sm">
      <Facts
        facts={[
          [t('Manifests found'), number(scan.found)],
          [t('New here'), number(scan.adopted)],
          [t('Known already'), number(scan.known)],
          [t('Cannot be read'), number(scan.unreadableCount)],
          [t('Without object'), number(scan.withoutObjectCount)],
        ]}
      />
      {scan.unreadable.length > 0 && (
        <Named title={t('Manifests that cannot be read')}>
          {scan.unreadable.map(({ key, message }) => (
            <List.Item key={key}>
              <Code>{key}</Code> {message}
            </List.Item>
          ))}
        </Named>
      )}
      {scan.withoutObject.length > 0 && (
        <Named title={t('Manifests whose object is not there')}>
          {scan.withoutObject.map((key) => (
            <List.Item key={key}>
              <Code>{key}</Code>
            </List.Item>
          ))}
        </Named>
      )}
    </Stack>
  )
}

function Named({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <List size="sm" style={{ overflowWrap: 'anywhere' }}>
        {children}
      </List>
    </Stack>
  )
}
