import { Alert, Badge, Button, Code, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconKey, IconPlus } from '@tabler/icons-react'
import type { KeyCheck } from '../../../src/shared/encryption-keys.ts'
import { useAsk } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { shortTime } from '../parts/when.tsx'
import { AddKey } from './add-key.tsx'
import { KeyMenu } from './key-menu.tsx'
import { keyKinds, keyStates } from './key-words.ts'

export function KeysPage() {
  const t = useT()
  const mayManage = useMay()('manage-keys')
  const [{ add }, filter] = useFilters()
  const check = useAsk('GET /api/v1/keys/check')
  const open = mayManage && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filter({ add: 'key' })}>
      {t('Add key')}
    </Button>
  )
  return (
    <Page
      title={t('Keys')}
      about={t(
        'What backups are encrypted with. Nobody can open a backup whose key is lost: keep each key in two places, and not beside the backups.',
      )}
      actions={open}
    >
      <Asked question={check}>
        {({ items }) => (
          <Stack gap="lg">
            <MissingKeys keys={items.filter(({ state }) => state === 'missing')} />
            {items.length === 0 ? (
              <Empty icon={<IconKey size={26} />} title={t('No key yet')} action={open}>
                {t('Plans can encrypt their snapshots when there is a key.')}
              </Empty>
            ) : (
              <KeyTable keys={items} mayManage={mayManage} />
            )}
          </Stack>
        )}
      </Asked>
      {mayManage && <AddKey isOpen={add === 'key'} onClose={() => filter({ add: undefined })} />}
    </Page>
  )
}

/** What cannot be restored any more unless somebody finds its key. */
function MissingKeys({ keys }: { keys: KeyCheck[] }) {
  const t = useT()
  if (keys.length === 0) return null
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('Snapshots name keys that nobody has here')}
    >
      <Stack gap="xs">
        <List size="sm">
          {keys.map(({ keyId, fingerprint, snapshots }) => (
            <List.Item key={`${keyId} ${fingerprint}`}>
              {t('{{count}} snapshots need the key with the fingerprint', { count: snapshots })}{' '}
              <Code>{fingerprint ?? keyId}</Code>
            </List.Item>
          ))}
        </List>
        <Text size="sm" fw={500}>
          {t('If you have such a key, add it: it is known again by its fingerprint.')}
        </Text>
      </Stack>
    </Alert>
  )
}

function KeyTable({ keys, mayManage }: { keys: KeyCheck[]; mayManage: boolean }) {
  const t = useT()
  const menu = mayManage && [
    { title: '', align: 'right' as const, cell: (key: KeyCheck) => <KeyMenu checked={key} /> },
  ]
  const columns: Column<KeyCheck>[] = [
    { title: t('Key'), isWide: true, cell: (key) => <Name checked={key} /> },
    { title: t('Fingerprint'), cell: ({ fingerprint }) => fingerprint && <Code>{fingerprint}</Code> },
    { title: t('Protects'), cell: (key) => <Protected checked={key} /> },
    { title: t('Read by Holdfast'), cell: (key) => <Readable checked={key} /> },
    { title: t('State'), cell: ({ state }) => <StateBadge state={state} /> },
    ...(menu || []),
  ]
  return (
    <DataTable
      label={t('Keys')}
      rows={keys}
      idOf={({ keyId, fingerprint }) => `${keyId} ${fingerprint}`}
      columns={columns}
    />
  )
}

function Name({ checked: { name, kind } }: { checked: KeyCheck }) {
  const t = useT()
  const { label, about } = keyKinds[kind]
  return (
    <Stack gap={0}>
      <Text size="sm" fw={600}>
        {name ?? t(label)}
      </Text>
      <Text size="xs" fw={400} c="dimmed">
        {t(about)}
      </Text>
    </Stack>
  )
}

function Protected({ checked: { snapshots, oldest, newest } }: { checked: KeyCheck }) {
  const t = useT()
  const language = useLanguage()
  if (snapshots === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t('no snapshot')}
      </Text>
    )
  }
  return (
    <Stack gap={0}>
      <Text size="sm">{t('{{count}} snapshots', { count: snapshots })}</Text>
      {oldest !== null && newest !== null && (
        <Text size="xs" c="dimmed">
          {t('{{from}} to {{to}}', { from: shortTime(oldest, language), to: shortTime(newest, language) })}
        </Text>
      )}
    </Stack>
  )
}

function Readable({ checked: { isAtHand, kind } }: { checked: KeyCheck }) {
  const t = useT()
  const words = isAtHand ? t('yes') : kind === 'recipients' ? t('no, only with the identity') : t('no')
  return <Text size="sm">{words}</Text>
}

function StateBadge({ state }: { state: KeyCheck['state'] }) {
  const t = useT()
  const { label, color } = keyStates[state]
  return (
    <Badge variant="light" color={color} tt="none">
      {t(label)}
    </Badge>
  )
}
