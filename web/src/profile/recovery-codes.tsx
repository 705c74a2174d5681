import { Alert, Button, Code, CopyButton, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconCopy, IconDownload, IconEye } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { useTry } from '../sign-in/use-try.ts'
import { PasswordProof } from './password-proof.tsx'

/** They are shown this once. */
export function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const t = useT()
  const text = codes.join('\n')
  return (
    <Stack>
      <Alert
        variant="light"
        icon={<IconEye aria-hidden />}
        title={t('Keep these recovery codes where you find them without your phone')}
      >
        <Text size="sm">{t('Each signs in once in the place of a code. They are shown this once.')}</Text>
      </Alert>
      <SimpleGrid cols={2} spacing="xs" component="ul" m={0} p={0} aria-label={t('Recovery codes')}>
        {codes.map((code) => (
          <Code key={code} component="li" ta="center" fz="sm" py={6} display="block">
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Group justify="space-between">
        <Group gap="xs">
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button variant="default" leftSection={<IconCopy size={16} aria-hidden />} onClick={copy}>
                {copied ? t('Copied') : t('Copy')}
              </Button>
            )}
          </CopyButton>
          <Button
            variant="default"
            component="a"
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${text}\n`)}`}
            download="holdfast-recovery-codes.txt"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t('Download')}
          </Button>
        </Group>
        <Button onClick={onDone}>{t('I have kept them')}</Button>
      </Group>
    </Stack>
  )
}

/** New ones in the place of those that are left. */
export function NewRecoveryCodes({ onDone }: { onDone: () => void }) {
  const t = useT()
  const make = useTry('POST /api/v1/me/recovery-codes')
  if (make.data) return <RecoveryCodes codes={make.data.body.recoveryCodes} onDone={onDone} />
  return (
    <PasswordProof change={make} action={t('Make new codes')} onCancel={onDone}>
      <Text size="sm">{t('The former ones are worth nothing any more then.')}</Text>
    </PasswordProof>
  )
}
