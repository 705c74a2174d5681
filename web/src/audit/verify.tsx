import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconShieldCheck, IconShieldX } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { AuditVerification } from '../../../src/shared/audit.ts'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import { client, fieldErrors } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { CopyValue } from '../parts/copy-value.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { shortTime } from '../parts/when.tsx'

export function VerifyButton() {
  const t = useT()
  const [isOpen, dialog] = useDisclosure()
  return (
    <>
      <Button leftSection={<IconShieldCheck size={16} aria-hidden />} onClick={dialog.open}>
        {t('Verify')}
      </Button>
      <Dialog isOpen={isOpen} onClose={dialog.close} title={t('Verify the audit log')} size="lg">
        <Verification />
      </Dialog>
    </>
  )
}

/** Goes through the whole chain of hashes, which may take a while. */
function Verification() {
  const t = useT()
  const [expect, setExpect] = useState('')
  const verify = useMutation<AuditVerification, AppError>({
    mutationFn: async () => {
      const query = expect.trim() === '' ? {} : { expect: expect.trim() }
      try {
        return (await client.ask('GET /api/v1/audit/verify', { query })).body
      } catch (error) {
        throw asAppError(error)
      }
    },
    meta: { changesNothing: true },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        verify.mutate()
      }}
    >
      <Stack>
        <Text size="sm">
          {t(
            'Each entry carries a hash over itself and the one before it: whatever was changed, removed or added behind Holdfast’s back is found.',
          )}
        </Text>
        <TextInput
          label={t('A head that you have noted earlier')}
          description={t('Optional. If it is still in the chain, everything up to it is as it was then.')}
          placeholder="1204:5f1c…"
          autoComplete="off"
          spellCheck={false}
          value={expect}
          error={fieldErrors(verify.error)['expect']}
          onChange={({ currentTarget }) => setExpect(currentTarget.value)}
        />
        <FailedForm error={verify.error} shown={['expect']} />
        {verify.data && <Result result={verify.data} />}
        <Group justify="flex-end">
          <Button type="submit" loading={verify.isPending}>
            {t('Verify now')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Result({
  result: { isIntact, entries, from, to, pruned, head, fault },
}: {
  result: AuditVerification
}) {
  const t = useT()
  const language = useLanguage()
  const time = (at: string | null) => (at === null ? '–' : shortTime(at, language))
  return (
    <Stack gap="sm" aria-live="polite">
      <Alert
        variant="light"
        color={isIntact ? 'green' : 'red'}
        icon={isIntact ? <IconShieldCheck aria-hidden /> : <IconShieldX aria-hidden />}
        title={isIntact ? t('The audit log is intact') : t('The audit log is not what was recorded')}
      >
        <Text size="sm">
          {fault
            ? t('Entry {{number}}: {{reason}}', { number: fault.number, reason: fault.reason })
            : t('{{count}} entries fit, from {{from}} to {{to}}.', {
                count: entries,
                from: time(from),
                to: time(to),
              })}
        </Text>
        {pruned > 0 && (
          <Text size="sm">
            {t('Entries up to {{number}} are gone because their time was over.', { number: pruned })}
          </Text>
        )}
      </Alert>
      {isIntact && head && (
        <Stack gap={4}>
          <Text size="sm">
            {t('Its head. Note it elsewhere, to prove later that all before it is as it was:')}
          </Text>
          <CopyValue value={`${head.number}:${head.hash}`} label={t('Copy the head')} />
        </Stack>
      )}
    </Stack>
  )
}
