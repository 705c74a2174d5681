import { Anchor, Button, Group, Stack, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import type { ConnectionOfString } from '../../../src/shared/servers.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import type { Volume } from '../../../src/shared/volumes.ts'
import { fieldErrors } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Failed } from '../parts/failed.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { defaultsOf, SchemaForm } from '../parts/schema-form.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { AddingActions } from './adding-actions.tsx'
import { ConnectionString } from './connection-string.tsx'
import { ConnectionTest } from './connection-test.tsx'
import { EngineCards, type EngineDescription } from './engine-cards.tsx'
import { FirstPlanFields } from './first-plan-fields.tsx'
import type { FirstPlan } from './first-plan.ts'
import { nameFrom, type ServerDraft } from './server-draft.ts'
import { ServerFields } from './server-fields.tsx'
import { Step } from './step.tsx'
import { useAddServer } from './use-add-server.ts'
import { useConnectionTest } from './use-connection-test.ts'

interface NewServerFormProps {
  engines: readonly EngineDescription[]
  volumes: readonly Volume[]
  schedules: readonly NamedSchedule[]
  /** The plan that most people want. */
  usual: FirstPlan
}

/** From the kind of server to its first backup, from top to bottom. */
export function NewServerForm({ engines, volumes, schedules, usual }: NewServerFormProps) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const [filters] = useFilters()
  const [draft, setDraft] = useState<ServerDraft>(() =>
    blank(engines.find(({ name }) => name === filters['engine'])),
  )
  const [plan, setPlan] = useState(usual)
  const [isTouched, setTouched] = useState(false)
  const [isUntested, setUntested] = useState(false)
  const testPlace = useRef<HTMLDivElement>(null)
  const suggestedName = nameFrom(draft.connection)
  const complete = { ...draft, name: draft.name.trim() || suggestedName }
  const test = useConnectionTest(draft)
  const adding = useAddServer(schedules)
  const { serverId, failure } = adding
  const engine = engines.find(({ name }) => name === draft.engine)
  const serverError = failure?.step === 'server' ? failure.error : (test.error ?? undefined)
  const planErrors = failure && failure.step !== 'server' ? fieldErrors(failure.error) : {}
  const mayPlan = may('manage-plans') && volumes.some(({ isReadOnly }) => !isReadOnly)
  const goesOn = test.report?.passed === true || isUntested || serverId !== undefined
  const change = (changes: Partial<ServerDraft>) => {
    setTouched(true)
    setDraft((before) => ({ ...before, ...changes }))
  }
  const chooseEngine = (name: string) => {
    const chosen = engines.find((one) => one.name === name)
    if (chosen && name !== draft.engine)
      setDraft((before) => ({ ...before, engine: name, connection: defaultsOf(chosen.connection) }))
  }
  const fillIn = ({ engine, connection }: ConnectionOfString) => {
    const chosen = engines.find(({ name }) => name === engine)
    if (chosen) change({ engine, connection: { ...defaultsOf(chosen.connection), ...connection } })
  }
  /** A wrong password is better told now than by the first backup. */
  const isSound = async () => {
    if (isUntested || test.report?.passed) return true
    const report = await test.run()
    if (report?.passed) return true
    testPlace.current?.scrollIntoView({ block: 'center' })
    testPlace.current?.focus({ preventScroll: true })
    return false
  }
  const addOnly = async () => {
    const id = await adding.addServer(complete)
    if (id !== undefined) void navigate({ to: `/servers/${id}`, ignoreBlocker: true })
  }
  const addAll = async () => {
    if (!(await isSound())) return
    const jobId = await adding.addAll(complete, plan)
    if (jobId !== undefined) void navigate({ to: `/jobs/${jobId}`, ignoreBlocker: true })
  }
  return (
    <Stack gap="lg" maw={860}>
      <UnsavedGuard when={isTouched} />
      <Step number={1} title={t('What kind of server')} isDone={engine !== undefined}>
        {serverId === undefined ? (
          <>
            <EngineCards engines={engines} value={engine?.name} onChange={chooseEngine} />
            <ConnectionString onRead={fillIn} />
          </>
        ) : (
          <Text>{t('{{engine}}: the server is added, so this stays.', { engine: engine?.label })}</Text>
        )}
      </Step>
      {engine && (
        <Step number={2} title={t('Connection')} isDone={goesOn}>
          <SchemaForm
            key={engine.name}
            schema={engine.connection}
            value={draft.connection}
            errors={fieldErrors(serverError, 'connection.')}
            onChange={(connection) => change({ connection })}
          />
          <ServerFields
            value={draft}
            errors={fieldErrors(serverError)}
            suggestedName={suggestedName}
            isShort
            onChange={change}
          />
          <ConnectionTest
            report={test.report}
            isPending={test.isPending}
            placeRef={testPlace}
            onTest={() => void test.run()}
          />
          <FailedForm error={serverError ?? null} shown={shownFields} />
          {!goesOn && (
            <Text size="sm">
              <Anchor component="button" type="button" size="sm" onClick={() => setUntested(true)}>
                {t('Go on without a test')}
              </Anchor>
            </Text>
          )}
        </Step>
      )}
      {engine && goesOn && mayPlan && (
        <FirstPlanFields
          value={plan}
          onChange={(changes) => setPlan((before) => ({ ...before, ...changes }))}
          volumes={volumes}
          schedules={schedules}
          serverId={serverId}
          isSaving={adding.busy === 'server'}
          onSaveServer={() => void adding.addServer(complete)}
          errors={planErrors}
        />
      )}
      {failure && failure.step !== 'server' && (
        <Failed title={t('The server is added, but its first backup did not begin')} error={failure.error} />
      )}
      {engine && goesOn && (
        <AddingActions
          adding={adding}
          hasPlan={mayPlan}
          isTesting={test.isPending}
          onAddAll={() => void addAll()}
          onAddOnly={() => void addOnly()}
        />
      )}
      {engine && goesOn && !mayPlan && may('manage-plans') && (
        <Group gap="sm">
          <Text size="sm">{t('There is no volume yet to which it could be backed up.')}</Text>
          <Button variant="default" size="xs" onClick={() => void navigate({ to: '/volumes/new' })}>
            {t('Add volume')}
          </Button>
        </Group>
      )}
    </Stack>
  )
}

/** What is said at these fields need not be said again. */
const shownFields = ['connection', 'name', 'labels', 'maxRunning']

function blank(engine: EngineDescription | undefined): ServerDraft {
  return {
    name: '',
    engine: engine?.name ?? '',
    connection: engine ? defaultsOf(engine.connection) : {},
    labels: {},
    isProduction: false,
    isProtected: false,
    maxRunning: 2,
  }
}
