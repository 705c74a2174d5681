import { Alert, Button, Group, Stack, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconInfoCircle, IconSend } from '@tabler/icons-react'
import { useState } from 'react'
import { z } from 'zod'
import { smtp } from '../../../src/shared/instance-settings.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Failed } from '../parts/failed.tsx'
import { defaultsOf, SchemaForm, type Settings } from '../parts/schema-form.tsx'
import { SaveBar } from '../parts/save-bar.tsx'
import { Section } from '../parts/section.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { useDraft } from '../use-draft.ts'

const schema = z.toJSONSchema(z.object(smtp.shape), { io: 'input' }) as Record<string, unknown>

/** The server that mail is handed to: for e-mail channels, invitations and forgotten passwords. */
export function MailServer() {
  const t = useT()
  const saved = useSaved('GET /api/v1/instance-settings')
  return (
    <Stack gap="lg" maw="48rem">
      <Section
        title={t('Mail server')}
        about={t('For e-mail channels, invitations and forgotten passwords of the whole installation.')}
      >
        <Asked question={saved}>
          {(answer) => <MailForm saved={answer} reload={async () => (await saved.refetch()).data} />}
        </Asked>
      </Section>
      <TestMail />
    </Stack>
  )
}

interface MailFormProps {
  saved: Saved<'GET /api/v1/instance-settings'>
  reload: () => Promise<Saved<'GET /api/v1/instance-settings'> | undefined>
}

function MailForm({ saved, reload }: MailFormProps) {
  const t = useT()
  const draft = useDraft(saved)
  const save = useChange('PATCH /api/v1/instance-settings', {
    onSuccess: (answer) => {
      draft.restart(answer)
      notifications.show({ message: t('The mail server is saved'), color: 'green' })
    },
  })
  const { base, changes } = draft
  const isFixed = base.isSmtpFromEnvironment === true
  const given = 'smtp' in changes ? changes.smtp : base.smtp
  const settings = (given ?? defaultsOf(schema)) as Settings
  return (
    <Stack gap="lg">
      {isFixed && (
        <Alert variant="light" color="blue" icon={<IconInfoCircle aria-hidden />}>
          {t('SMTP_URL and MAIL_FROM say which server it is. Change them there, and start Holdfast again.')}
        </Alert>
      )}
      <SchemaForm
        schema={schema}
        value={settings}
        errors={fieldErrors(save.error, 'smtp.')}
        isDisabled={isFixed}
        onChange={(smtp) => draft.change('smtp', smtp)}
      />
      {!isFixed && base.smtp !== undefined && !draft.isDirty && (
        <Group>
          <Button
            color="red"
            variant="light"
            loading={save.isPending}
            onClick={() => save.mutate({ body: { smtp: null }, ...draft.ifMatch })}
          >
            {t('Send no mail any more')}
          </Button>
        </Group>
      )}
      <SaveBar
        isDirty={draft.isDirty}
        isPending={save.isPending}
        error={save.error}
        onSave={() => save.mutate({ body: { smtp: settings }, ...draft.ifMatch })}
        onDiscard={() => {
          draft.discard()
          save.reset()
        }}
        onReload={async () => {
          const answer = await reload()
          if (answer) draft.rebase(answer)
          save.reset()
        }}
      />
    </Stack>
  )
}

/** Sends a real mail with what is saved. */
function TestMail() {
  const t = useT()
  const { user } = useMe()
  const [to, setTo] = useState(user?.email ?? '')
  const test = useChange('POST /api/v1/channels/test', { changesNothing: true })
  return (
    <Section title={t('Test')} about={t('Sends a message by the mail server that is saved.')}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          test.mutate({ body: { kind: 'email', settings: { to: [to] } } })
        }}
      >
        <Stack>
          <Group align="flex-end">
            <TextInput
              flex={1}
              type="email"
              label={t('Send to')}
              autoComplete="email"
              value={to}
              error={fieldErrors(test.error)['settings.to.0']}
              onChange={({ currentTarget }) => setTo(currentTarget.value)}
            />
            <Button
              type="submit"
              variant="default"
              leftSection={<IconSend size={16} aria-hidden />}
              loading={test.isPending}
            >
              {t('Send a test message')}
            </Button>
          </Group>
          {test.error && <Failed error={test.error} />}
          {test.data && <TestReportView report={test.data.body} />}
        </Stack>
      </form>
    </Section>
  )
}
