import { ActionIcon, Box, Code, CopyButton, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import classes from './code-block.module.css'

/** So many lines are seen whole; more are scrolled. */
const SEEN_LINES = 12

/** A command or a policy to paste, with a button that copies it. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  const t = useT()
  // What the keyboard reaches has a role and a name.
  const scrolled = { mah: '16em', tabIndex: 0, role: 'group', 'aria-label': t('Text to copy') }
  const isLong = code.split('\n').length > SEEN_LINES
  return (
    <Box pos="relative">
      <Code block className={classes.code} {...(isLong && scrolled)}>
        {code}
      </Code>
      <CopyButton value={code}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t('Copied') : label}>
            <ActionIcon
              className={classes.copy}
              variant="default"
              size="sm"
              aria-label={copied ? t('Copied') : label}
              onClick={copy}
            >
              {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Box>
  )
}
