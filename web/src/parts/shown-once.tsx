import { Alert, Stack, Text } from '@mantine/core'
import { IconEye } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useT } from '../i18n/i18n.ts'
import { CopyValue } from './copy-value.tsx'

interface ShownOnceProps {
  /** What it is: “The token”. */
  title: string
  value: string
  /** What the button that copies it is called. */
  copy: string
  children?: ReactNode
}

/** A link or a secret of which the app keeps no more than a hash. */
export function ShownOnce({ title, value, copy, children }: ShownOnceProps) {
  const t = useT()
  return (
    <Alert variant="light" color="harbour" icon={<IconEye aria-hidden />} title={title}>
      <Stack gap="xs">
        <CopyValue value={value} label={copy} />
        <Text size="sm">{children ?? t('It is shown this once. Copy it now.')}</Text>
      </Stack>
    </Alert>
  )
}
