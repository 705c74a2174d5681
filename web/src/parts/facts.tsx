import { DataList } from '@mantine/core'
import type { ReactNode } from 'react'

/** What is known of a thing: names and values, one below the other. What is undefined is left out. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <DataList labelWidth={150}>
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <DataList.Item key={name}>
            <DataList.ItemLabel>{name}</DataList.ItemLabel>
            <DataList.ItemValue style={{ overflowWrap: 'anywhere', minWidth: 0 }}>{value}</DataList.ItemValue>
          </DataList.Item>
        ))}
    </DataList>
  )
}
