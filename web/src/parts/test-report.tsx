import { Alert, Group, Paper, Stack, Text, ThemeIcon } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconMinus, IconX } from '@tabler/icons-react'
import {
  describeFinding,
  describeStep,
  type TestReport,
  type TestStep,
} from '../../../src/shared/test-report.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { CodeBlock } from './code-block.tsx'
import { durationText } from './when.tsx'

const faces: Record<TestStep['outcome'], { color: string; icon: typeof IconCheck }> = {
  ok: { color: 'green', icon: IconCheck },
  warning: { color: 'orange', icon: IconAlertTriangle },
  failed: { color: 'red', icon: IconX },
  skipped: { color: 'gray', icon: IconMinus },
}

const outcomes: Record<TestStep['outcome'], string> = {
  ok: msg('ok'),
  warning: msg('warning'),
  failed: msg('failed'),
  skipped: msg('skipped'),
}

/** What a test of a connection or a volume has found, step by step. */
export function TestReportView({ report: { passed, steps } }: { report: TestReport }) {
  const t = useT()
  return (
    <Stack gap="sm" aria-live="polite">
      <Alert
        color={passed ? 'green' : 'red'}
        variant="light"
        icon={passed ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
        title={passed ? t('The test has passed') : t('The test has failed')}
      />
      <Paper withBorder p="md">
        <TestSteps steps={steps} />
      </Paper>
    </Stack>
  )
}

/** The steps alone. */
export function TestSteps({ steps }: Pick<TestReport, 'steps'>) {
  return (
    <Stack gap="sm" component="ol" m={0} p={0}>
      {steps.map((step, index) => (
        <Step key={index} step={step} />
      ))}
    </Stack>
  )
}

function Step({ step }: { step: TestStep }) {
  const t = useT()
  const language = useLanguage()
  const { outcome, finding, statements, milliseconds } = step
  const detail = finding ? describeFinding(finding, { t, language }) : step.detail
  const { color, icon: Icon } = faces[outcome]
  return (
    <Group component="li" align="flex-start" wrap="nowrap" gap="sm">
      <ThemeIcon size="sm" radius="xl" variant="light" color={color}>
        <Icon size={13} aria-label={t(outcomes[outcome])} />
      </ThemeIcon>
      <Stack gap={2} style={{ flex: 1, minWidth: 0 }}>
        <Text size="sm" fw={500}>
          {describeStep(step, { t, language })}
        </Text>
        {detail !== undefined && <Detail text={detail} isFailure={outcome === 'failed'} />}
        {statements !== undefined && <CodeBlock code={statements} label={t('Copy the statements')} />}
      </Stack>
      {milliseconds !== undefined && (
        <Text size="xs" c="dimmed">
          {durationText(milliseconds, language)}
        </Text>
      )}
    </Group>
  )
}

/** What was found, with its line breaks; a policy that it ends with stands below, to be copied. */
function Detail({ text, isFailure }: { text: string; isFailure: boolean }) {
  const t = useT()
  const { sentence, policy } = policyIn(text)
  return (
    <>
      <Text
        size="sm"
        c={isFailure ? undefined : 'dimmed'}
        style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-line' }}
      >
        {sentence}
      </Text>
      {policy !== undefined && <CodeBlock code={policy} label={t('Copy the policy')} />}
    </>
  )
}

function policyIn(text: string): { sentence: string; policy?: string } {
  const start = text.indexOf('{"')
  if (start < 0) return { sentence: text }
  try {
    const policy = JSON.stringify(JSON.parse(text.slice(start)), null, 2)
    return { sentence: text.slice(0, start).trim(), policy }
  } catch {
    return { sentence: text } // it has a brace, and no policy
  }
}
