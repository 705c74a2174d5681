import { Anchor, Group, Text } from '@mantine/core'
import type { Job } from '../../../src/shared/jobs.ts'
import { DatabaseName } from '../parts/database-name.tsx'
import { LinkTo } from '../parts/link.tsx'
import type { Names } from './names.ts'

interface JobSubjectProps {
  job: Pick<Job, 'serverId' | 'planId' | 'volumeId' | 'database'>
  names: Names
}

/** What a job is about: the database, its server and plan, or the volume. */
export function JobSubject({ job: { serverId, planId, volumeId, database }, names }: JobSubjectProps) {
  const links = [
    ...(serverId === null ? [] : [{ to: `/servers/${serverId}`, name: names.server(serverId) }]),
    ...(planId === null ? [] : [{ to: `/plans/${planId}`, name: names.plan(planId) }]),
    ...(volumeId === null ? [] : [{ to: `/volumes/${volumeId}`, name: names.volume(volumeId) }]),
  ]
  if (database === null && links.length === 0)
    return (
      <Text span size="sm" c="dimmed">
        –
      </Text>
    )
  return (
    <div>
      {database !== null && (
        <Text size="sm" fw={500} component="div">
          <DatabaseName name={database} />
        </Text>
      )}
      <Group gap="xs">
        {links.map(({ to, name }) => (
          <Anchor key={to} component={LinkTo} to={to} size="sm">
            {name}
          </Anchor>
        ))}
      </Group>
    </div>
  )
}
