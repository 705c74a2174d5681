import { Button, Group, Paper, Stepper } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { fieldErrors, useAsk, useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { OptionsStep } from './options-step.tsx'
import { besideName } from './beside-name.ts'
import { draftOf, emptyDraft, isOfServer, orderOf, type RestoreDraft } from './restore-draft.ts'
import { ReviewStep } from './review-step.tsx'
import { SourceStep } from './source-step.tsx'
import { TargetStep } from './target-step.tsx'

const SOURCE = 0
const TARGET = 1
const OPTIONS = 2
const REVIEW = 3

/** At which step a field of the order stands. */
const stepOfField: Readonly<Record<string, number>> = {
  snapshotId: SOURCE,
  volumeId: SOURCE,
  serverId: TARGET,
  database: TARGET,
  mode: TARGET,
}

export function NewRestorePage() {
  const [filters] = useFilters()
  const { snapshot, again } = filters
  if (again) return <Again restoreId={again} />
  if (snapshot) return <Given snapshotId={snapshot} draft={emptyDraft} />
  return <Wizard snapshot={undefined} draft={emptyDraft} />
}

/** The same choices as another restore had. */
function Again({ restoreId }: { restoreId: string }) {
  const restore = useAsk('GET /api/v1/restores/{id}', { params: { id: restoreId } })
  const known = restore.data
  if (!known) return <Waiting question={restore} />
  return known.snapshotId === null ? (
    <Wizard snapshot={undefined} draft={draftOf(known)} />
  ) : (
    <Given snapshotId={known.snapshotId} draft={draftOf(known)} />
  )
}

/** The snapshot that the address names. */
function Given({ snapshotId, draft }: { snapshotId: string; draft: RestoreDraft }) {
  const snapshot = useAsk('GET /api/v1/snapshots/{id}', { params: { id: snapshotId } })
  if (!snapshot.data) return <Waiting question={snapshot} />
  return <Wizard snapshot={snapshot.data} draft={draft} />
}

function Waiting({ question }: { question: { data: unknown; error: unknown; refetch: () => unknown } }) {
  const t = useT()
  return (
    <Page title={t('Restore a snapshot')} above={[{ title: t('Restores'), to: '/restores' }]}>
      <Asked question={question}>{() => null}</Asked>
    </Page>
  )
}

interface WizardProps {
  snapshot: Snapshot | undefined
  draft: RestoreDraft
}

function Wizard({ snapshot: first, draft: begun }: WizardProps) {
  const t = useT()
  const navigate = useNavigate()
  const isPhone = useMediaQuery('(max-width: 48em)')
  const [snapshot, setSnapshot] = useState(first)
  const [draft, setDraft] = useState(() => withTarget(begun, first))
  const [step, setStep] = useState(first ? TARGET : SOURCE)
  const [isDirty, setDirty] = useState(false)
  const start = useChange('POST /api/v1/restores', {
    onSuccess: ({ body }) => navigate({ to: `/jobs/${body.jobId}`, ignoreBlocker: true }),
  })
  const change = (changes: Partial<RestoreDraft>) => {
    setDirty(true)
    start.reset()
    setDraft((known) => ({ ...known, ...changes }))
  }
  const order = snapshot && orderOf(draft, snapshot)
  const furthest = !snapshot ? SOURCE : order ? REVIEW : TARGET
  const chooseSnapshot = (chosen: Snapshot) => {
    setSnapshot(chosen)
    // What was chosen for another snapshot means nothing for this one.
    setDraft(
      withTarget(
        { ...emptyDraft, serverId: chosen.engine === snapshot?.engine ? draft.serverId : null },
        chosen,
      ),
    )
    setDirty(true)
    setStep(TARGET)
  }
  return (
    <Page
      title={t('Restore a snapshot')}
      about={t('Nothing is changed before you have seen what it would meet.')}
      above={[{ title: t('Restores'), to: '/restores' }]}
    >
      <UnsavedGuard when={isDirty && !start.isSuccess} />
      <Stepper
        active={step}
        orientation={isPhone ? 'vertical' : 'horizontal'}
        size="sm"
        onStepClick={(chosen) => chosen <= furthest && setStep(chosen)}
      >
        {[t('Snapshot'), t('Target'), t('Options'), t('Review')].map((label, index) => (
          <Stepper.Step
            key={label}
            label={label}
            allowStepSelect={index <= furthest}
            disabled={index > furthest}
          />
        ))}
      </Stepper>
      <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
        {step === SOURCE && (
          <SourceStep
            snapshot={snapshot}
            onChoose={chooseSnapshot}
            volumeId={draft.volumeId}
            onVolume={(volumeId) => change({ volumeId })}
          />
        )}
        {step === TARGET && snapshot && (
          <TargetStep
            snapshot={snapshot}
            draft={draft}
            // The name that was typed was that of another target.
            onChange={(changes) => change({ ...changes, confirmation: '' })}
          />
        )}
        {step === OPTIONS && snapshot && (
          <OptionsStep
            snapshot={snapshot}
            draft={draft}
            onChange={change}
            errors={fieldErrors(start.error)}
          />
        )}
        {step === REVIEW && order && (
          <ReviewStep
            order={order}
            confirmation={draft.confirmation}
            onConfirmation={(confirmation) => change({ confirmation })}
            onFix={(field) => setStep(stepOfField[field] ?? OPTIONS)}
            onRun={(body) => start.mutate({ body })}
            isStarting={start.isPending}
            error={start.error}
          />
        )}
      </Paper>
      <Group justify="space-between">
        {step > SOURCE ? (
          <Button variant="default" onClick={() => setStep(step - 1)}>
            {t('Back')}
          </Button>
        ) : (
          <span />
        )}
        {step < REVIEW && (
          <Button disabled={step >= furthest} onClick={() => setStep(step + 1)}>
            {step === OPTIONS ? t('Look at what it would meet') : t('Go on')}
          </Button>
        )}
      </Group>
    </Page>
  )
}

/** A new restore goes beside its database, on its own server; whether that may be restored into is told there. */
function withTarget(draft: RestoreDraft, snapshot: Snapshot | undefined): RestoreDraft {
  if (!snapshot || isOfServer(snapshot))
    return { ...draft, serverId: draft.serverId ?? snapshot?.serverId ?? null }
  return {
    ...draft,
    serverId: draft.serverId ?? snapshot.serverId,
    database: draft.database === '' && draft.mode === 'new' ? besideName(snapshot.database) : draft.database,
  }
}
