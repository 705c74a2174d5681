import { Code, Group } from '@mantine/core'
import type { ServerLimit } from '../../../src/shared/roles.ts'

/** `a-*  team=a`: the names, one of which must fit, and the labels, which must all be there. */
export function ServerLimitView({ limit: { names = [], labels = {} } }: { limit: ServerLimit }) {
  return (
    <Group gap={4} component="span">
      {names.map((name) => (
        <Code key={name}>{name}</Code>
      ))}
      {Object.entries(labels).map(([label, value]) => (
        <Code key={label}>
          {label}={value}
        </Code>
      ))}
    </Group>
  )
}
