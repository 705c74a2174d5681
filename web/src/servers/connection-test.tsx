import { Button, Group, Loader, Stack, Text } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import type { Ref } from 'react'
import type { TestReport } from '../../../src/shared/test-report.ts'
import { useT } from '../i18n/i18n.ts'
import { TestReportView } from '../parts/test-report.tsx'

interface ConnectionTestProps {
  /** Of what the form says now; undefined if that was not tried. */
  report: TestReport | undefined
  isPending: boolean
  onTest: () => void
  /** To be scrolled to. */
  placeRef?: Ref<HTMLDivElement>
}

/** Tries the settings of the form, which are not saved, and says what was found. */
export function ConnectionTest({ report, isPending, onTest, placeRef }: ConnectionTestProps) {
  const t = useT()
  return (
    <Stack gap="md" ref={placeRef} tabIndex={-1}>
      <Group>
        <Button
          variant={report?.passed ? 'default' : 'filled'}
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          loading={isPending}
          onClick={onTest}
        >
          {t('Test connection')}
        </Button>
        {isPending && (
          <Group gap="xs" role="status">
            <Loader size="xs" aria-hidden />
            <Text size="sm">{t('Reaching the server …')}</Text>
          </Group>
        )}
      </Group>
      {report && <TestReportView report={report} />}
    </Stack>
  )
}
