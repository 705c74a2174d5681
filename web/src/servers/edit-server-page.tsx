import { Button, Group, Paper, Stack, Title } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Server } from '../../../src/shared/servers.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { SchemaForm } from '../parts/schema-form.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { useSaved } from '../saved.ts'
import { ConnectionTest } from './connection-test.tsx'
import type { EngineDescription } from './engine-cards.tsx'
import { changesOf, draftOf } from './server-draft.ts'
import { ServerFields } from './server-fields.tsx'
import { useConnectionTest } from './use-connection-test.ts'
import { useEngines } from './use-engines.ts'

export function EditServerPage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const server = useSaved('GET /api/v1/servers/{id}', { params: { id } })
  const engines = useEngines()
  return (
    <Page
      title={server.data ? t('Edit {{name}}', { name: server.data.body.name }) : t('Edit server')}
      above={[
        { title: t('Servers'), to: '/servers' },
        { title: server.data?.body.name ?? '…', to: `/servers/${id}` },
      ]}
    >
      <Asked question={server} lines={8}>
        {({ body, etag }) => (
          <Asked question={engines}>
            {({ items }) => (
              <EditServerForm
                server={body}
                etag={etag}
                engine={items.find(({ name }) => name === body.engine)}
              />
            )}
          </Asked>
        )}
      </Asked>
    </Page>
  )
}

interface EditServerFormProps {
  server: Server
  etag: string | undefined
  engine: EngineDescription | undefined
}

function EditServerForm({ server, etag, engine }: EditServerFormProps) {
  const t = useT()
  const navigate = useNavigate()
  // What is edited is what was read first, also if somebody changes it in the meantime: saving then says so.
  const [read] = useState({ server, etag })
  const [draft, setDraft] = useState(() => draftOf(server))
  const isDirty = JSON.stringify(draft) !== JSON.stringify(draftOf(read.server))
  const test = useConnectionTest(draft, server.id)
  const save = useChange('PATCH /api/v1/servers/{id}', {
    onSuccess: () => navigate({ to: `/servers/${server.id}`, ignoreBlocker: true }),
  })
  const error = save.error ?? test.error
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate({ params: { id: server.id }, body: changesOf(draft), ifMatch: read.etag })
      }}
    >
      <UnsavedGuard when={isDirty} />
      <Stack gap="lg" maw={860}>
        {engine && (
          <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
            <Stack gap="lg">
              <Title order={2} size="h4">
                {t('Connection')}
              </Title>
              <SchemaForm
                schema={engine.connection}
                value={draft.connection}
                errors={fieldErrors(error, 'connection.')}
                onChange={(connection) => setDraft({ ...draft, connection })}
              />
              <ConnectionTest
                report={test.report}
                isPending={test.isPending}
                onTest={() => void test.run()}
              />
            </Stack>
          </Paper>
        )}
        <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
          <Stack gap="lg">
            <Title order={2} size="h4">
              {t('About the server')}
            </Title>
            <ServerFields
              value={draft}
              errors={fieldErrors(error)}
              onChange={(changes) => setDraft({ ...draft, ...changes })}
            />
          </Stack>
        </Paper>
        <FailedForm error={error} shown={['connection', 'name', 'labels', 'maxRunning']} />
        <Group gap="sm">
          <Button type="submit" loading={save.isPending} disabled={!isDirty}>
            {t('Save server')}
          </Button>
          <Button variant="default" component={LinkTo} to={`/servers/${server.id}`}>
            {t('Cancel')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
