import { Anchor, Badge, Code, Stack, Text } from '@mantine/core'
import type { AuditEntry } from '../../../src/shared/audit.ts'
import { useT } from '../i18n/i18n.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Moment } from '../parts/when.tsx'
import { Actor } from './actor.tsx'
import classes from './audit-table.module.css'

interface AuditTableProps {
  entries: readonly AuditEntry[]
  onOpen: (id: string) => void
}

export function AuditTable({ entries, onOpen }: AuditTableProps) {
  const t = useT()
  const columns: Column<AuditEntry>[] = [
    {
      title: t('When'),
      cell: ({ id, at }) => (
        <Anchor
          component="button"
          type="button"
          size="sm"
          className={classes.line}
          onClick={() => onOpen(id)}
        >
          <Moment at={at} />
        </Anchor>
      ),
    },
    {
      title: t('Who'),
      isWide: true,
      cell: ({ actor, address }) => <Actor actor={actor} address={address} />,
    },
    { title: t('Action'), cell: ({ action }) => <Code className={classes.line}>{action}</Code> },
    {
      title: t('Thing'),
      isWide: true,
      cell: ({ target }) =>
        target === null ? (
          <Text span inherit c="dimmed">
            –
          </Text>
        ) : (
          <Stack gap={0}>
            <Text span size="sm">
              {target.name ?? target.id ?? '–'}
            </Text>
            <Text span size="xs" c="dimmed">
              {target.kind}
            </Text>
          </Stack>
        ),
    },
    { title: t('Outcome'), cell: ({ outcome }) => <Outcome outcome={outcome} /> },
  ]
  return <DataTable label={t('Audit log')} columns={columns} rows={entries} idOf={({ id }) => id} />
}

export function Outcome({ outcome }: { outcome: string }) {
  const t = useT()
  return outcome === 'succeeded' ? (
    <Badge variant="light" color="green" tt="none" miw="max-content">
      {t('succeeded')}
    </Badge>
  ) : (
    <Badge variant="light" color="red" tt="none" miw="max-content">
      {outcome}
    </Badge>
  )
}
