import { Box, Group, Paper, Stack, Table, Text, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useT } from '../i18n/i18n.ts'
import classes from './data-table.module.css'

export interface Column<Row> {
  /** Also the label beside the value on a phone. Empty for buttons. */
  title: string
  cell: (row: Row) => ReactNode
  align?: 'right'
  /** `name` takes what room there is. */
  isWide?: boolean
  /** The rows can be sorted by it, with its head. */
  sorting?: Sorting
}

interface Sorting {
  /** Undefined: they are sorted by something else. */
  order: 'asc' | 'desc' | undefined
  onSort: () => void
}

interface DataTableProps<Row> {
  /** What the table is a list of, for those who hear it. */
  label: string
  columns: Column<Row>[]
  rows: readonly Row[]
  idOf: (row: Row) => string
  /** Above the columns: what is chosen can be locked, deleted … */
  selection?: ReactNode
}

/** A list of things: a table, and on a phone a card for each. The first column says what the row is. */
export function DataTable<Row>({ label, columns, rows, idOf, selection }: DataTableProps<Row>) {
  const t = useT()
  const [first, ...others] = columns
  return (
    <>
      {selection}
      <Paper withBorder visibleFrom="sm" className={classes.frame}>
        <Table.ScrollContainer minWidth={0} type="native" tabIndex={0} role="region" aria-label={label}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                {columns.map(({ title, align, sorting }, index) => (
                  <Table.Th key={index} ta={align} aria-sort={sorting?.order && directions[sorting.order]}>
                    {title === '' ? (
                      <VisuallyHidden>{t('Actions')}</VisuallyHidden>
                    ) : sorting ? (
                      <SortButton title={title} {...sorting} />
                    ) : (
                      title
                    )}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={idOf(row)}>
                  {columns.map(({ cell, align, isWide }, index) => (
                    <Table.Td
                      key={index}
                      ta={align}
                      className={isWide ? classes.wide : align === 'right' ? classes.number : classes.cell}
                    >
                      {cell(row)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Paper>
      <Stack gap="sm" hiddenFrom="sm" component="ul" m={0} p={0} aria-label={label}>
        {rows.map((row) => (
          <Paper key={idOf(row)} withBorder p="md" component="li" className={classes.card}>
            <Stack gap={6}>
              <Box fw={600} className={classes.wide}>
                {first?.cell(row)}
              </Box>
              {others.map(({ title, cell }, index) => (
                <Pair key={index} title={title}>
                  {cell(row)}
                </Pair>
              ))}
            </Stack>
          </Paper>
        ))}
      </Stack>
    </>
  )
}

const directions = { asc: 'ascending', desc: 'descending' } as const

function SortButton({ title, order, onSort }: Sorting & { title: string }) {
  const Icon = order === undefined ? IconArrowsSort : order === 'asc' ? IconArrowUp : IconArrowDown
  return (
    <UnstyledButton fz="inherit" fw="inherit" onClick={onSort}>
      <Group component="span" gap={4} wrap="nowrap" display="inline-flex">
        {title}
        <Icon size={14} aria-hidden opacity={order === undefined ? 0.5 : 1} />
      </Group>
    </UnstyledButton>
  )
}

/** On a phone. What has nothing to say is not there. */
function Pair({ title, children }: { title: string; children: ReactNode }) {
  if (children === null || children === undefined || children === false) return null
  return (
    <Box className={title === '' ? undefined : classes.pair}>
      {title !== '' && (
        <Text size="sm" c="dimmed">
          {title}
        </Text>
      )}
      <Box className={classes.value}>{children}</Box>
    </Box>
  )
}
