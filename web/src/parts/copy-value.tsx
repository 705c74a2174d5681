import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'

/** An id, a link or a secret that is shown once, with a button that copies it. */
export function CopyValue({ value, label }: { value: string; label?: string }) {
  const t = useT()
  return (
    <Group gap={6} wrap="nowrap" maw="100%">
      <Code style={{ overflowWrap: 'anywhere', minWidth: 0 }}>{value}</Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t('Copied') : (label ?? t('Copy'))}>
            <ActionIcon
              variant="subtle"
              color={copied ? 'green' : 'gray'}
              aria-label={copied ? t('Copied') : (label ?? t('Copy'))}
              onClick={copy}
            >
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  )
}
