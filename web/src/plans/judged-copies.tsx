import { Anchor, Stack, Text, Title } from '@mantine/core'
import { describeReason } from '../../../src/shared/retention.ts'
import type { DatabaseRetention } from '../../../src/shared/retention-preview.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { Bytes } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { LinkTo } from '../parts/link.tsx'
import { listText } from '../parts/list-text.ts'
import { Moment } from '../parts/when.tsx'

type Going = DatabaseRetention['goes'][number]
type Staying = DatabaseRetention['stays'][number]

/** So many lines are drawn at first: a plan may keep thousands. */
const SHOWN = 50

interface JudgedCopiesProps extends Pick<DatabaseRetention, 'goes' | 'stays' | 'timeZone'> {
  /** The level of the headings. */
  headings: 3 | 4
}

/** The copies of a database that go, and those that stay, each with its reasons. */
export function JudgedCopies({ goes, stays, timeZone, headings }: JudgedCopiesProps) {
  const t = useT()
  const speech = useSpeech()
  const taken: Column<Staying> = {
    title: t('Snapshot of'),
    cell: ({ snapshotId, takenAt }) => (
      <Anchor component={LinkTo} to={`/snapshots/${snapshotId}`} size="sm">
        <Moment at={takenAt} />
      </Anchor>
    ),
  }
  const volume: Column<Staying> = { title: t('Volume'), cell: ({ volumeName }) => volumeName }
  const bytes: Column<Staying> = {
    title: t('Size'),
    align: 'right',
    cell: ({ bytes }) => <Bytes of={bytes} />,
  }
  const why: Column<Staying> = {
    title: t('Why'),
    isWide: true,
    cell: ({ why }) => (
      <Text size="sm">
        {listText(
          why.map((reason) => describeReason(reason, timeZone, speech)),
          speech.language,
        )}
      </Text>
    ),
  }
  const goesAt: Column<Going> = {
    title: t('Goes'),
    cell: (copy) => (
      <Stack gap={0}>
        <Text size="sm">
          <Moment at={copy.goesAt} />
        </Text>
        {copy.isLast && (
          <Text size="xs" c="dimmed">
            {t('with it the whole snapshot')}
          </Text>
        )}
      </Stack>
    ),
  }
  return (
    <Stack gap="md">
      {goes.length > 0 && (
        <Stack gap="xs">
          <Title order={headings} size="h6">
            {t('These go')}
          </Title>
          <Copies label={t('These go')} columns={[taken, goesAt, volume, bytes, why]} rows={goes} />
        </Stack>
      )}
      <Stack gap="xs">
        <Title order={headings} size="h6">
          {t('These stay')}
        </Title>
        <Copies label={t('These stay')} columns={[taken, volume, bytes, why]} rows={stays} />
      </Stack>
    </Stack>
  )
}

interface CopiesProps<Row> {
  label: string
  columns: Column<Row>[]
  rows: readonly Row[]
}

function Copies<Row extends Staying>({ label, columns, rows }: CopiesProps<Row>) {
  const t = useT()
  return (
    <>
      <DataTable
        label={label}
        columns={columns}
        rows={rows.slice(0, SHOWN)}
        idOf={({ snapshotId, volumeId }) => `${snapshotId} ${volumeId}`}
      />
      {rows.length > SHOWN && (
        <Text size="sm" c="dimmed">
          {t('and {{count}} more', { count: rows.length - SHOWN })}
        </Text>
      )}
    </>
  )
}
