import { ActionIcon, Box, Code, CopyButton, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import classes from './code-block.module.css'

/** A command or a policy to paste, with a button that copies it. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  const t = useT()
  return (
    <Box pos="relative">
      <Code block className={classes.code}>
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
