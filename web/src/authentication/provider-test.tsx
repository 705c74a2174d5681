import { Button, Group, Stack, Text } from '@mantine/core'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { TestReportView } from '../parts/test-report.tsx'

/** Asks the provider what it is. */
export function ProviderTest({ id }: { id: string }) {
  const t = useT()
  const test = useChange('POST /api/v1/identity-providers/{id}/test', { changesNothing: true })
  return (
    <Stack>
      <Text size="sm">
        {t('Asks the provider what it says of itself, as it was saved last. Nobody signs in with it.')}
      </Text>
      <FailedForm error={test.error} />
      {test.data && <TestReportView report={test.data.body} />}
      <Group justify="flex-end">
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate({ params: { id } })}>
          {test.data ? t('Test again') : t('Test now')}
        </Button>
      </Group>
    </Stack>
  )
}
