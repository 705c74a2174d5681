import { Button, Menu, Stack, Text } from '@mantine/core'
import { IconChevronDown, IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { asAppError, type AppError } from '../../../src/shared/errors.ts'
import { client } from '../api.ts'
import { basePath } from '../base-path.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { CopyValue } from '../parts/copy-value.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { exactTime } from '../parts/when.tsx'

interface Link {
  url: string
  expiresAt: string
}

/** The bytes of a snapshot: as they lie on the volume, as the dump in them, or as a link for somebody else. */
export function DownloadMenu({ snapshotId, isEncrypted }: { snapshotId: string; isEncrypted: boolean }) {
  const t = useT()
  const language = useLanguage()
  const [link, setLink] = useState<Link | AppError>()
  const address = `${basePath}/api/v1/snapshots/${snapshotId}/download`
  const askForLink = async () => {
    try {
      const { body } = await client.ask('GET /api/v1/snapshots/{id}/download', {
        params: { id: snapshotId },
        query: { link: 'true' },
      })
      setLink(body as Link)
    } catch (error) {
      setLink(asAppError(error))
    }
  }
  // A tab of its own: it closes when the download begins, and else shows why there is none.
  const elsewhere = { component: 'a', target: '_blank', rel: 'noopener' } as const
  return (
    <>
      <Menu position="bottom-end" width={300}>
        <Menu.Target>
          <Button
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
            rightSection={<IconChevronDown size={14} aria-hidden />}
          >
            {t('Download')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item {...elsewhere} href={address}>
            <Text size="sm">{t('As it is stored')}</Text>
            <Text size="xs" c="dimmed">
              {isEncrypted ? t('Compressed and encrypted') : t('Compressed')}
            </Text>
          </Menu.Item>
          <Menu.Item {...elsewhere} href={`${address}?as=plain`}>
            <Text size="sm">{t('The dump in it')}</Text>
            <Text size="xs" c="dimmed">
              {isEncrypted ? t('Decrypted and unpacked on the way') : t('Unpacked on the way')}
            </Text>
          </Menu.Item>
          <Menu.Item onClick={() => void askForLink()}>
            <Text size="sm">{t('A link for somebody else')}</Text>
            <Text size="xs" c="dimmed">
              {t('Works for some minutes without signing in')}
            </Text>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Dialog
        isOpen={link !== undefined}
        onClose={() => setLink(undefined)}
        title={t('A link for somebody else')}
        size="lg"
      >
        {link && 'url' in link ? (
          <Stack>
            <Text size="sm">
              {t('It works until {{time}}.', { time: exactTime(link.expiresAt, language) })}
            </Text>
            <CopyValue value={link.url} label={t('Copy the link')} />
          </Stack>
        ) : (
          link &&
          (link.code === 'unsupported' ? (
            <Text size="sm">
              {t('The volumes of this snapshot make no links. Download it, and hand the file on.')}
            </Text>
          ) : (
            <Failed error={link} />
          ))
        )}
      </Dialog>
    </>
  )
}
