import { Alert, List } from '@mantine/core'
import { IconHandStop } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'

/** Why it cannot be done now. */
export function Obstacles({ obstacles }: { obstacles: readonly string[] }) {
  const t = useT()
  if (obstacles.length === 0) return null
  return (
    <Alert variant="light" color="red" icon={<IconHandStop aria-hidden />} title={t('It cannot be done now')}>
      <List size="sm">
        {obstacles.map((obstacle) => (
          <List.Item key={obstacle}>{obstacle}</List.Item>
        ))}
      </List>
    </Alert>
  )
}
