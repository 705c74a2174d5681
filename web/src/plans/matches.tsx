import { Badge, Group, Paper, Spoiler, Stack, Text } from '@mantine/core'
import type { DatabaseChoice, DatabaseMatches } from '../../../src/shared/plans.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { DatabaseName } from '../parts/database-name.tsx'
import { useTrial } from '../trial.ts'

interface MatchesProps {
  serverId: string
  databases: DatabaseChoice
  excluded: string[]
}

/** What a choice of databases that is not saved yet means now. */
export function Matches({ serverId, databases, excluded }: MatchesProps) {
  const found = useTrial('POST /api/v1/plans/preview', {
    body: { serverId, databases, excludedDatabases: excluded },
  })
  return (
    <Asked question={found} lines={1}>
      {(matches) => (
        <Paper withBorder p="md">
          <MatchList matches={matches} />
        </Paper>
      )}
    </Asked>
  )
}

/** The databases of a server: those that are backed up, and the others. */
export function MatchList({ matches: { items, missing } }: { matches: DatabaseMatches }) {
  const t = useT()
  const included = items.filter(({ isIncluded }) => isIncluded)
  const excluded = items.filter(({ why }) => why === 'excluded')
  const others = items.filter(({ why }) => why === 'not_matched')
  return (
    <Stack gap="sm" aria-live="polite">
      <Names
        title={t('{{count}} databases are backed up, as it is now', { count: included.length })}
        names={included.map(({ database }) => database)}
        color="green"
      />
      {excluded.length > 0 && (
        <Names
          title={t('{{count}} are left out', { count: excluded.length })}
          names={excluded.map(({ database }) => database)}
          color="gray"
        />
      )}
      {others.length > 0 && (
        <Names
          title={t('{{count}} are not chosen', { count: others.length })}
          names={others.map(({ database }) => database)}
          color="gray"
        />
      )}
      {missing.length > 0 && (
        <Names
          title={t('{{count}} are named, but not there', { count: missing.length })}
          names={missing}
          color="orange"
        />
      )}
    </Stack>
  )
}

function Names({ title, names, color }: { title: string; names: readonly string[]; color: string }) {
  const t = useT()
  return (
    <Stack gap={6}>
      <Text size="sm" fw={500}>
        {title}
      </Text>
      <Spoiler maxHeight={86} showLabel={t('Show all')} hideLabel={t('Show less')}>
        <Group gap={6}>
          {names.map((name) => (
            <Badge key={name} variant="light" color={color} tt="none" maw="100%">
              <DatabaseName name={name} />
            </Badge>
          ))}
        </Group>
      </Spoiler>
    </Stack>
  )
}
