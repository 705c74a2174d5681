import { Alert, Stack, Text } from '@mantine/core'
import { IconLink } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { CopyValue } from '../parts/copy-value.tsx'

export function RedirectUrl({ url }: { url: string }) {
  const t = useT()
  return (
    <Alert variant="light" icon={<IconLink aria-hidden />} title={t('Redirect URL')}>
      <Stack gap="xs">
        <Text size="sm">{t('Register exactly this with the provider:')}</Text>
        <CopyValue value={url} label={t('Copy the redirect URL')} />
      </Stack>
    </Alert>
  )
}
