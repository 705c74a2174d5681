import {
  Alert,
  Button,
  Group,
  List,
  Paper,
  ScrollArea,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { IconAlertTriangle, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useAsk } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { numberText } from '../parts/bytes.tsx'

/** Rows of the table that are drawn before somebody asks for all. */
const FEW = 200

/** The tables of a snapshot and how many rows each has, as the manifest says. */
export function SnapshotContentsView({ snapshotId }: { snapshotId: string }) {
  const t = useT()
  const language = useLanguage()
  const contents = useAsk('GET /api/v1/snapshots/{id}/contents', { params: { id: snapshotId } })
  return (
    <Paper withBorder p="md" component="section">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('Contents')}
        </Title>
        <Asked question={contents}>
          {({ tables, rows, leftOut, warnings }) => (
            <Stack gap="sm">
              {leftOut.length > 0 && (
                <Sentences title={t('Left out on purpose')} color="gray" sentences={leftOut} />
              )}
              {warnings.length > 0 && <Sentences title={t('Warnings')} color="orange" sentences={warnings} />}
              {tables === null ? (
                <Text size="sm" c="dimmed">
                  {t('This dump does not tell which tables are in it.')}
                </Text>
              ) : (
                <>
                  <Text size="sm">
                    {t('Tables: {{tables}}. Rows in all of them: {{rows}}.', {
                      tables: numberText(tables.length, language),
                      rows: rows === null ? '–' : numberText(rows, language),
                    })}
                  </Text>
                  <Tables tables={tables} />
                </>
              )}
            </Stack>
          )}
        </Asked>
      </Stack>
    </Paper>
  )
}

function Tables({ tables }: { tables: readonly { name: string; rows: number }[] }) {
  const t = useT()
  const language = useLanguage()
  const [search, setSearch] = useState('')
  const [isWhole, setWhole] = useState(false)
  const text = search.trim().toLowerCase()
  const found = tables.filter(({ name }) => name.toLowerCase().includes(text))
  const shown = isWhole ? found : found.slice(0, FEW)
  return (
    <>
      {tables.length > 8 && (
        <TextInput
          aria-label={t('Search tables')}
          placeholder={t('Search tables')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={search}
          maw={320}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      )}
      {found.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('No table matches.')}
        </Text>
      ) : (
        <ScrollArea.Autosize
          mah={360}
          type="auto"
          viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': t('Tables') }}
        >
          <Table verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('Table')}</Table.Th>
                <Table.Th ta="right">{t('Rows')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map(({ name, rows }) => (
                <Table.Tr key={name}>
                  <Table.Td style={{ overflowWrap: 'anywhere' }}>{name}</Table.Td>
                  <Table.Td ta="right">{numberText(rows, language)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollArea.Autosize>
      )}
      {shown.length < found.length && (
        <Group>
          <Button size="compact-sm" variant="default" onClick={() => setWhole(true)}>
            {t('Show all {{number}} tables', { number: numberText(found.length, language) })}
          </Button>
        </Group>
      )}
    </>
  )
}

interface SentencesProps {
  title: string
  color: string
  sentences: readonly string[]
}

function Sentences({ title, color, sentences }: SentencesProps) {
  return (
    <Alert color={color} variant="light" icon={<IconAlertTriangle aria-hidden />} title={title}>
      <List size="sm">
        {sentences.map((sentence) => (
          <List.Item key={sentence}>{sentence}</List.Item>
        ))}
      </List>
    </Alert>
  )
}
