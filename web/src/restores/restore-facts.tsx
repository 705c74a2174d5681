import { Anchor, Code, Text } from '@mantine/core'
import { isOver } from '../../../src/shared/jobs.ts'
import type { Restore } from '../../../src/shared/restores.ts'
import { useAsk } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Hooks } from '../jobs/job-result.tsx'
import { useNames } from '../jobs/names.ts'
import { bytesText, numberText } from '../parts/bytes.tsx'
import { shortName } from '../parts/database-name.tsx'
import { Facts } from '../parts/facts.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { exactTime } from '../parts/when.tsx'
import { restoreModes } from './restore-modes.ts'

/** What the restore was to do. */
export function RestoreOrder({ restore }: { restore: Restore }) {
  const t = useT()
  const names = useNames()
  const {
    snapshotId,
    volumeId,
    serverId,
    database,
    mode,
    options,
    endSessions,
    runAfter,
    scheduledRestoreId,
  } = restore
  const chosen = Object.keys(options).length > 0 ? JSON.stringify(options, null, 2) : undefined
  return (
    <Section title={t('What was ordered')}>
      <Facts
        facts={[
          [t('Snapshot'), snapshotId === null ? undefined : <SnapshotLink key="snapshot" id={snapshotId} />],
          [t('Read from'), volumeId === null ? t('the best copy') : names.volume(volumeId)],
          [
            t('Server'),
            serverId === null ? undefined : (
              <Anchor key="server" component={LinkTo} to={`/servers/${serverId}`} size="sm">
                {names.server(serverId)}
              </Anchor>
            ),
          ],
          [t('Database'), database ?? t('the server itself')],
          [t('Mode'), t(restoreModes[mode].title)],
          [t('Sessions'), endSessions ? t('those of others are ended') : undefined],
          [
            t('Scheduled'),
            scheduledRestoreId === null ? undefined : (
              <Anchor
                key="scheduled"
                component={LinkTo}
                to={`/restores/scheduled/${scheduledRestoreId}`}
                size="sm"
              >
                {t('To the scheduled restore')}
              </Anchor>
            ),
          ],
          [
            t('Options'),
            chosen === undefined ? undefined : (
              <Code key="options" block>
                {chosen}
              </Code>
            ),
          ],
          [
            t('SQL that runs after'),
            runAfter === null ? undefined : (
              <Code key="sql" block>
                {runAfter}
              </Code>
            ),
          ],
        ]}
      />
    </Section>
  )
}

function SnapshotLink({ id }: { id: string }) {
  const t = useT()
  const language = useLanguage()
  const { data } = useAsk('GET /api/v1/snapshots/{id}', { params: { id } })
  return (
    <Anchor component={LinkTo} to={`/snapshots/${id}`} size="sm">
      {data
        ? t('{{database}} of {{time}}', {
            database: shortName(data.database),
            time: exactTime(data.takenAt, language),
          })
        : t('To the snapshot')}
    </Anchor>
  )
}

/** What was there before, and whether it is kept. */
export function RestoreBefore({
  restore: { mode, safetySnapshot, safetySnapshotId, state },
}: {
  restore: Restore
}) {
  const t = useT()
  if (mode !== 'replace') {
    return (
      <Section title={t('Before')}>
        <Text size="sm">
          {mode === 'new' ? t('There was no such database.') : t('What was in the database stays in it.')}
        </Text>
      </Section>
    )
  }
  return (
    <Section title={t('Before')}>
      {safetySnapshotId !== null ? (
        <>
          <Text size="sm">
            {t('What was in the database is kept in a safety snapshot, locked for some days.')}
          </Text>
          <SnapshotLink id={safetySnapshotId} />
        </>
      ) : (
        <Text size="sm">
          {!safetySnapshot
            ? t('No safety snapshot was wanted: what was in the database is not kept.')
            : isOver(state)
              ? t(
                  'There is no safety snapshot: there was no such database, or the snapshot is not kept any more.',
                )
              : t('The safety snapshot is taken shortly before the database is replaced.')}
        </Text>
      )}
    </Section>
  )
}

/** What is there now. */
export function RestoreAfter({ restore: { result, hooks } }: { restore: Restore }) {
  const t = useT()
  const language = useLanguage()
  if (!result && hooks.length === 0) return null
  return (
    <Section title={t('After')}>
      {result && (
        <Text size="sm">
          {result.rows
            ? t('Restored: {{rows}} rows in {{count}} tables, as in the snapshot.', {
                rows: numberText(result.rows.rows, language),
                count: result.rows.tables,
              })
            : t('Restored. There were no rows to compare.')}
        </Text>
      )}
      {result && (
        <Text size="sm">{t('{{bytes}} were loaded.', { bytes: bytesText(result.rawBytes, language) })}</Text>
      )}
      {hooks.length > 0 && <Hooks hooks={hooks} />}
    </Section>
  )
}
