import { Button, Stack, Text } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useAsk, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Facts } from '../parts/facts.tsx'
import { Failed } from '../parts/failed.tsx'
import { Section } from '../parts/section.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { When } from '../parts/when.tsx'
import { ConnectionState } from './connection-state.tsx'

/** Whether the server answers now, and on demand what a backup would meet, step by step. */
export function ConnectionReport({ id }: { id: string }) {
  const t = useT()
  const may = useMay()
  const connection = useAsk('GET /api/v1/servers/{id}/connection', { params: { id } })
  const test = useChange('POST /api/v1/servers/{id}/test', { changesNothing: true })
  return (
    <Section
      title={t('Connection')}
      actions={
        may('run-backups') && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlugConnected size={16} aria-hidden />}
            loading={test.isPending}
            onClick={() => test.mutate({ params: { id } })}
          >
            {t('Test now')}
          </Button>
        )
      }
    >
      <Asked question={connection} lines={2}>
        {({ version, checkedAt, error }) => (
          <Stack gap="md">
            <Facts
              facts={[
                [t('State'), <ConnectionState key="state" id={id} />],
                [t('Version'), version ?? undefined],
                [t('Looked at'), <When key="at" at={checkedAt} />],
              ]}
            />
            {error && !test.data && (
              <Failed
                title={t('The server does not answer')}
                error={{
                  code: 'database_unreachable',
                  message: error.message,
                  hint: error.hint,
                  fields: undefined,
                }}
              />
            )}
          </Stack>
        )}
      </Asked>
      {test.error && <Failed error={test.error} />}
      {test.data && <TestReportView report={test.data.body} />}
      {!test.data && connection.data?.isReachable && (
        <Text size="sm" c="dimmed">
          {t('A test says step by step what a backup would meet: sign-in, encryption, privileges, tools.')}
        </Text>
      )}
    </Section>
  )
}
