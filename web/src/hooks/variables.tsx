import { Button, Code, CopyButton, Stack, Table, Text } from '@mantine/core'
import { IconCheck, IconCopy, IconPlus } from '@tabler/icons-react'
import type { HookAround } from '../../../src/shared/hooks.ts'
import { useAsk } from '../api.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'

const presences: Record<'always' | 'success' | 'failure' | 'hook', string> = {
  always: '',
  success: msg('Empty before, and after a failure.'),
  failure: msg('Only after a failure.'),
  hook: '',
}

interface VariablesProps {
  around: HookAround
  /** The scripts of the installation run after a success only, and have no name. */
  isHook: boolean
  /** Absent: a click copies it. */
  onInsert?: (text: string) => void
}

/** All that a script gets to know. */
export function Variables({ around, isHook, onInsert }: VariablesProps) {
  const t = useT()
  const variables = useAsk('GET /api/v1/hook-variables')
  return (
    <Asked question={variables}>
      {({ items }) => (
        <Table aria-label={t('Variables')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('Variable')}</Table.Th>
              <Table.Th visibleFrom="sm">{t('What it is')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items
              .filter((one) => one.around === around)
              .filter(({ presence }) => isHook || presence === 'always' || presence === 'success')
              .map(({ name, description, presence }) => (
                <Table.Tr key={name}>
                  <Table.Td>
                    <Stack gap={2} align="flex-start">
                      <VariableButton name={name} {...(onInsert && { onInsert })} />
                      <Text size="sm" hiddenFrom="sm">
                        {t(description)}
                      </Text>
                    </Stack>
                  </Table.Td>
                  <Table.Td visibleFrom="sm">
                    <Text size="sm">{t(description)}</Text>
                    {isHook && presences[presence] !== '' && (
                      <Text size="xs" c="dimmed">
                        {t(presences[presence])}
                      </Text>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
          </Table.Tbody>
        </Table>
      )}
    </Asked>
  )
}

function VariableButton({ name, onInsert }: { name: string; onInsert?: (text: string) => void }) {
  const t = useT()
  // A database can be called it's "mine".
  const text = `"$${name}"`
  const look = { variant: 'subtle', size: 'compact-sm', px: 4 } as const
  if (onInsert) {
    return (
      <Button
        {...look}
        leftSection={<IconPlus size={14} aria-hidden />}
        aria-label={t('Insert {{name}}', { name })}
        onClick={() => onInsert(text)}
      >
        <Code>{name}</Code>
      </Button>
    )
  }
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button
          {...look}
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          aria-label={copied ? t('Copied') : t('Copy {{name}}', { name })}
          onClick={copy}
        >
          <Code>{name}</Code>
        </Button>
      )}
    </CopyButton>
  )
}
