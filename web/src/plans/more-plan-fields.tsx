import { Accordion, Stack } from '@mantine/core'
import { useState } from 'react'
import { useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { errorOf, errorsBelow } from '../parts/field-errors.ts'
import { defaultsOf, SchemaForm } from '../parts/schema-form.tsx'
import { Section } from '../parts/section.tsx'
import { CompressionFields } from '../settings/compression-fields.tsx'
import { EncryptionFields } from './encryption-fields.tsx'
import { LimitFields } from './limit-fields.tsx'
import { PathFields } from './path-fields.tsx'
import type { PlanDraft } from './plan-draft.ts'

/** The fields of each part of “More”. */
const parts: Record<string, readonly string[]> = {
  form: ['compression', 'encryption'],
  dump: ['dumpOptions'],
  names: ['path', 'fileName'],
  limits: [
    'tries',
    'backoffSeconds',
    'timeoutMinutes',
    'stallMinutes',
    'overdueMinutes',
    'windowMinutes',
    'jitterMinutes',
    'bandwidth',
    'label',
  ],
}

export const moreFields: readonly string[] = Object.values(parts).flat()

interface MorePlanFieldsProps {
  draft: PlanDraft
  onChange: (changes: Partial<PlanDraft>) => void
  errors: Record<string, string>
}

/** What most plans leave as it is. */
export function MorePlanFields({ draft, onChange, errors }: MorePlanFieldsProps) {
  const t = useT()
  const servers = useAll('GET /api/v1/servers')
  const engines = useAsk('GET /api/v1/engines')
  const [opened, setOpened] = useState<string[]>([])
  const engineName = servers.data?.find(({ id }) => id === draft.serverId)?.engine
  const engine = engines.data?.items.find(({ name }) => name === engineName)
  const hasOptions = Object.keys((engine?.dumpOptions['properties'] as object | undefined) ?? {}).length > 0
  // What is wrong must be seen.
  const wrong = Object.keys(parts).filter((part) =>
    parts[part]?.some((field) => errorOf(errors, field) !== undefined),
  )
  return (
    <Section title={t('More')}>
      <Accordion
        multiple
        variant="contained"
        order={3}
        value={[...new Set([...opened, ...wrong])]}
        onChange={setOpened}
      >
        <Accordion.Item value="form">
          <Accordion.Control>{t('Compression and encryption')}</Accordion.Control>
          <Accordion.Panel>
            <Stack gap="lg">
              <CompressionFields
                value={draft.compression}
                error={errorOf(errors, 'compression')}
                onChange={(compression) => onChange({ compression })}
              />
              <EncryptionFields
                value={draft.encryption}
                error={errorOf(errors, 'encryption')}
                onChange={(encryption) => onChange({ encryption })}
              />
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
        {engine && hasOptions && (
          <Accordion.Item value="dump">
            <Accordion.Control>{t('Dump options of {{engine}}', { engine: engine.label })}</Accordion.Control>
            <Accordion.Panel>
              <SchemaForm
                key={engine.name}
                schema={engine.dumpOptions}
                value={{ ...defaultsOf(engine.dumpOptions), ...draft.dumpOptions }}
                errors={errorsBelow(errors, 'dumpOptions')}
                onChange={(dumpOptions) => onChange({ dumpOptions })}
              />
            </Accordion.Panel>
          </Accordion.Item>
        )}
        <Accordion.Item value="names">
          <Accordion.Control>{t('Folder and file name')}</Accordion.Control>
          <Accordion.Panel>
            <PathFields path={draft.path} fileName={draft.fileName} errors={errors} onChange={onChange} />
          </Accordion.Panel>
        </Accordion.Item>
        <Accordion.Item value="limits">
          <Accordion.Control>{t('Tries, limits and alarms')}</Accordion.Control>
          <Accordion.Panel>
            <LimitFields draft={draft} errors={errors} onChange={onChange} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Section>
  )
}
