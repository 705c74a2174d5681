import { Code, Stack, Table, Text, Title } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { flat } from './flat.ts'

interface ChangesProps {
  before: unknown
  after: unknown
}

/** Field by field, as it was and as it is. Of something new there is no before, of something deleted no after. */
export function Changes({ before, after }: ChangesProps) {
  const t = useT()
  const [former, present] = [flat(before), flat(after)]
  const fields = [...new Set([...former.keys(), ...present.keys()])]
  return (
    <Table.ScrollContainer
      minWidth={0}
      type="native"
      tabIndex={0}
      role="region"
      aria-label={t('What has changed')}
    >
      <Table withTableBorder layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('Field')}</Table.Th>
            {before !== undefined && <Table.Th>{t('Before')}</Table.Th>}
            {after !== undefined && <Table.Th>{t('After')}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {fields.map((field) => (
            <Table.Tr key={field}>
              <Table.Th scope="row" fw={500} style={{ overflowWrap: 'anywhere' }}>
                {field}
              </Table.Th>
              {before !== undefined && (
                <Table.Td>
                  <Value text={former.get(field)} isGone={after !== undefined} />
                </Table.Td>
              )}
              {after !== undefined && (
                <Table.Td>
                  <Value text={present.get(field)} />
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Value({ text, isGone = false }: { text: string | undefined; isGone?: boolean }) {
  if (text === undefined) {
    return (
      <Text span size="sm" c="dimmed">
        –
      </Text>
    )
  }
  return (
    <Text
      span
      size="sm"
      td={isGone ? 'line-through' : undefined}
      style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}
    >
      {text}
    </Text>
  )
}

/** What else an entry knows: which fields were sent, how many equal refusals there were … */
export function OtherDetails({ details }: { details: Record<string, unknown> }) {
  const t = useT()
  if (Object.keys(details).length === 0) return null
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        {t('Details')}
      </Title>
      <Code block>{JSON.stringify(details, null, 2)}</Code>
    </Stack>
  )
}
