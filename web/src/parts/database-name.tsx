import { Text, Tooltip } from '@mantine/core'

/** A file is called by its name; where it lies is said on hover. */
export function shortName(database: string): string {
  return /[/\\]/.test(database) ? (database.split(/[/\\]/).at(-1) ?? database) : database
}

/** The name of a database; of a file without its folder. */
export function DatabaseName({ name }: { name: string }) {
  const short = shortName(name)
  if (short === name) return <>{name}</>
  return (
    <Tooltip label={name}>
      <Text span inherit tabIndex={0}>
        {short}
      </Text>
    </Tooltip>
  )
}
