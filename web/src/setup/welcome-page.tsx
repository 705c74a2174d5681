import { Button, Group, List, Stack, Stepper, Text } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Restore } from '../../../src/client/api.ts'
import { useAsk } from '../api.ts'
import { databaseTitle } from '../databases/database-title.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText, numberText } from '../parts/bytes.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { FirstBackup } from './first-backup.tsx'
import { FirstRestore } from './first-restore.tsx'
import { FirstServer } from './first-server.tsx'
import { useSetupProgress } from './progress.ts'

/** From nothing to a snapshot that has been restored, step by step; each step knows by itself whether it is done. */
export function WelcomePage() {
  const t = useT()
  const progress = useSetupProgress()
  const { server, plan, volume, snapshot, restore } = progress ?? {}
  const active = !server ? 0 : !snapshot ? 2 : !restore ? 3 : 4
  return (
    <Page
      title={t('Welcome to Holdfast')}
      about={t(
        'A backup that was never restored is only a hope. In two minutes you have one that is more than that.',
      )}
    >
      <Stepper active={active} orientation="vertical" iconSize={34}>
        <Stepper.Step
          label={t('A database')}
          description={server ? server.name : t('Connect a server, or try with a sample database')}
        >
          <Below>
            <FirstServer />
          </Below>
        </Stepper.Step>
        <Stepper.Step
          label={t('A place for snapshots')}
          description={
            volume ? t('{{name}} is ready; more can be added at any time', { name: volume.name }) : undefined
          }
        />
        <Stepper.Step
          label={t('The first backup')}
          description={
            snapshot ? (
              <Stored snapshotId={snapshot.id} />
            ) : (
              t('Dumped, compressed, stored and confirmed, byte for byte')
            )
          }
        >
          <Below>{server && volume && <FirstBackup server={server} plan={plan} volume={volume} />}</Below>
        </Stepper.Step>
        <Stepper.Step
          label={t('The first restore')}
          description={
            restore ? (
              <Restored restore={restore} />
            ) : (
              t('Beside the database, under a new name: nothing that is there is touched')
            )
          }
        >
          <Below>{snapshot && <FirstRestore snapshot={snapshot} />}</Below>
        </Stepper.Step>
        <Stepper.Completed>
          <Done />
        </Stepper.Completed>
      </Stepper>
    </Page>
  )
}

function Below({ children }: { children: ReactNode }) {
  return (
    <Stack pt="md" pb="sm">
      {children}
    </Stack>
  )
}

/** What the first snapshot has in it. */
function Stored({ snapshotId }: { snapshotId: string }) {
  const t = useT()
  const language = useLanguage()
  const { data: snapshot } = useAsk('GET /api/v1/snapshots/{id}', { params: { id: snapshotId } })
  const { data: contents } = useAsk('GET /api/v1/snapshots/{id}/contents', { params: { id: snapshotId } })
  if (!snapshot) return null
  const bytes = bytesText(snapshot.storedBytes, language)
  if (typeof contents?.rows !== 'number') return <>{t('{{bytes}} stored', { bytes })}</>
  return <>{t('{{rows}} rows, {{bytes}} stored', { rows: numberText(contents.rows, language), bytes })}</>
}

function Restored({ restore }: { restore: Restore }) {
  const t = useT()
  return (
    <>
      {t('Restored as {{database}}, and compared with what was dumped', {
        database: databaseTitle(restore.database) ?? '',
      })}
    </>
  )
}

/** What most people do then. */
function Done() {
  const t = useT()
  return (
    <Stack pt="lg">
      <Text fw={600}>{t('Done: you have a snapshot, and you know that it restores.')}</Text>
      <List>
        <List.Item>{t('Add your other servers, and let schedules run their plans.')}</List.Item>
        <List.Item>{t('Add a second volume elsewhere, so that a fire costs nothing.')}</List.Item>
        <List.Item>{t('Add a channel, so that you hear of a backup that is missing.')}</List.Item>
      </List>
      <Group>
        <Button component={LinkTo} to="/" rightSection={<IconArrowRight size={16} aria-hidden />}>
          {t('To the overview')}
        </Button>
        <Button component={LinkTo} to="/servers/new" variant="default">
          {t('Add server')}
        </Button>
        <Button component={LinkTo} to="/volumes/new" variant="default">
          {t('Add volume')}
        </Button>
        <Button component={LinkTo} to="/settings/notifications" variant="default">
          {t('Add channel')}
        </Button>
      </Group>
    </Stack>
  )
}
