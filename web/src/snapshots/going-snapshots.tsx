import { List, Paper, ScrollArea, Stack, Text } from '@mantine/core'
import type { Deletion } from '../../../src/shared/snapshots-api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'
import { DatabaseName } from '../parts/database-name.tsx'
import { exactTime } from '../parts/when.tsx'

type Going = Pick<Deletion['snapshots'][number], 'id' | 'database' | 'takenAt' | 'copies'> & {
  /** Absent where all are of one server. */
  serverName?: string
}

interface GoingSnapshotsProps {
  snapshots: readonly Going[]
  /** Of all copies together. */
  bytes: number
}

/** So many are drawn: as many as can be deleted at once; retention may take more. */
const SHOWN = 1000

/** Exactly which copies go, snapshot by snapshot. */
export function GoingSnapshots({ snapshots, bytes }: GoingSnapshotsProps) {
  const t = useT()
  const language = useLanguage()
  const facts = {
    count: snapshots.reduce((sum, { copies }) => sum + copies.length, 0),
    bytes: bytesText(bytes, language),
  }
  const timeOf = ({ serverName, takenAt }: Going) => {
    const time = exactTime(takenAt, language)
    return serverName === undefined
      ? t('taken at {{time}}', { time })
      : t('{{server}}, taken at {{time}}', { server: serverName, time })
  }
  return (
    <>
      <Text size="sm" fw={500}>
        {t('{{count}} copies go, {{bytes}} on all volumes together:', facts)}
      </Text>
      <ScrollArea.Autosize mah={280} type="auto">
        <Stack gap="xs" component="ul" m={0} p={0} aria-label={t('What goes')}>
          {snapshots.slice(0, SHOWN).map((snapshot) => (
            <Paper key={snapshot.id} withBorder p="xs" component="li">
              <Text size="sm" fw={500} component="div">
                <DatabaseName name={snapshot.database} />
              </Text>
              <Text size="xs" c="dimmed">
                {timeOf(snapshot)}
              </Text>
              <List size="xs">
                {snapshot.copies.map(({ volumeId, volumeName, key, bytes }) => (
                  <List.Item key={volumeId}>
                    <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
                      {t('{{volume}}: {{key}}, {{bytes}}', {
                        volume: volumeName,
                        key,
                        bytes: bytesText(bytes, language),
                      })}
                    </Text>
                  </List.Item>
                ))}
              </List>
            </Paper>
          ))}
        </Stack>
      </ScrollArea.Autosize>
      {snapshots.length > SHOWN && (
        <Text size="sm" c="dimmed">
          {t('and {{count}} more', { count: snapshots.length - SHOWN })}
        </Text>
      )}
    </>
  )
}
