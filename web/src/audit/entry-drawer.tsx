import { Code, Drawer, Stack, Title } from '@mantine/core'
import type { AuditEntry } from '../../../src/shared/audit.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { CopyValue } from '../parts/copy-value.tsx'
import { Facts } from '../parts/facts.tsx'
import { exactTime } from '../parts/when.tsx'
import { Actor } from './actor.tsx'
import { Outcome } from './audit-table.tsx'
import { Changes, OtherDetails } from './changes.tsx'

interface EntryDrawerProps {
  entry: AuditEntry | undefined
  onClose: () => void
}

export function EntryDrawer({ entry, onClose }: EntryDrawerProps) {
  const t = useT()
  return (
    <Drawer
      opened={entry !== undefined}
      onClose={onClose}
      position="right"
      size="xl"
      title={entry ? t('Entry {{number}}', { number: entry.number }) : ''}
      closeButtonProps={{ 'aria-label': t('Close') }}
    >
      {entry && <Entry entry={entry} />}
    </Drawer>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const t = useT()
  const language = useLanguage()
  const { at, action, outcome, actor, address, target, details, hash } = entry
  const { before, after, ...others } = details
  return (
    <Stack gap="lg">
      <Facts
        facts={[
          [t('When'), exactTime(at, language)],
          [t('Who'), <Actor key="who" actor={actor} address={address} />],
          [t('Action'), <Code key="action">{action}</Code>],
          [t('Outcome'), <Outcome key="outcome" outcome={outcome} />],
          [t('Kind of thing'), target?.kind],
          [t('Its name'), target?.name ?? undefined],
          [
            t('Its id'),
            target?.id ? <CopyValue key="id" value={target.id} label={t('Copy the id')} /> : undefined,
          ],
        ]}
      />
      {(before !== undefined || after !== undefined) && (
        <Stack gap="xs">
          <Title order={2} size="h5">
            {t('What has changed')}
          </Title>
          <Changes before={before} after={after} />
        </Stack>
      )}
      <OtherDetails details={others} />
      <Stack gap="xs">
        <Title order={2} size="h5">
          {t('Hash')}
        </Title>
        <CopyValue value={hash} label={t('Copy the hash')} />
      </Stack>
    </Stack>
  )
}
