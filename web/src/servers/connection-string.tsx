import { Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import type { ConnectionOfString } from '../../../src/shared/servers.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { fieldErrors } from '../api.ts'

/** One line that fills the whole form in. It is hidden like a password, for there is one in it. */
export function ConnectionString({ onRead }: { onRead: (read: ConnectionOfString) => void }) {
  const t = useT()
  const [url, setUrl] = useState('')
  const read = useChange('POST /api/v1/connection-strings', {
    changesNothing: true,
    onSuccess: ({ body }) => {
      setUrl('')
      onRead(body)
    },
  })
  const ask = (text: string) => text.trim() !== '' && read.mutate({ body: { url: text.trim() } })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        ask(url)
      }}
    >
      <PasswordInput
        label={t('Paste a connection string')}
        description={t('It fills the form in: postgresql://user:password@host:5432/database')}
        autoComplete="off"
        value={url}
        error={fieldErrors(read.error)['url']}
        onChange={({ currentTarget }) => setUrl(currentTarget.value)}
        onPaste={(event) => {
          event.preventDefault()
          const text = event.clipboardData.getData('text')
          setUrl(text)
          ask(text)
        }}
      />
      <Button
        type="submit"
        variant="default"
        size="xs"
        mt="xs"
        loading={read.isPending}
        disabled={url.trim() === ''}
      >
        {t('Fill in the form')}
      </Button>
      <FailedForm error={read.error} shown={['url']} />
    </form>
  )
}
