import { Alert, Button, Group, List, Paper, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconRestore, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { asAppError, type AppError } from '../../../src/shared/errors.ts'
import type { NewRestore, RestoreCheck } from '../../../src/shared/restores.ts'
import { client, useListed } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { bytesText } from '../parts/bytes.tsx'
import { shortName } from '../parts/database-name.tsx'
import { Facts } from '../parts/facts.tsx'
import { Failed } from '../parts/failed.tsx'
import { TestSteps } from '../parts/test-report.tsx'
import { durationText, exactTime } from '../parts/when.tsx'
import { restoreModes } from './restore-modes.ts'

interface ReviewStepProps {
  order: NewRestore
  confirmation: string
  onConfirmation: (typed: string) => void
  /** To where a field can be changed. */
  onFix: (field: string) => void
  onRun: (order: NewRestore) => void
  isStarting: boolean
  error: AppError | null
}

/** All that the restore would meet, what it would cost, and the button. */
export function ReviewStep(props: ReviewStepProps) {
  const { order } = props
  const check = useQuery<RestoreCheck, AppError>({
    queryKey: ['POST /api/v1/restores/check', order],
    staleTime: 0,
    gcTime: 0, // the order may have a key in it
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }) => {
      try {
        return (await client.ask('POST /api/v1/restores/check', { body: order, signal })).body
      } catch (error) {
        signal.throwIfAborted()
        throw asAppError(error)
      }
    },
  })
  return (
    <Asked question={check} lines={6}>
      {(found) => (
        <Checked {...props} check={found} onAgain={() => void check.refetch()} isLooking={check.isFetching} />
      )}
    </Asked>
  )
}

interface CheckedProps extends ReviewStepProps {
  check: RestoreCheck
  onAgain: () => void
  isLooking: boolean
}

function Checked({
  order,
  check,
  confirmation,
  onConfirmation,
  onFix,
  onRun,
  isStarting,
  error,
  onAgain,
  isLooking,
}: CheckedProps) {
  const t = useT()
  const { isPossible, problems, warnings, needsConfirmation, target } = check
  const name = target.database === null ? target.serverName : shortName(target.database)
  const isConfirmed = !needsConfirmation || confirmation === name || confirmation === target.database
  const run = () =>
    onRun({ ...order, ...(needsConfirmation && { confirmation: target.database ?? target.serverName }) })
  return (
    <Stack gap="lg">
      <Summary order={order} check={check} />
      {order.mode === 'replace' && target.exists !== false && (
        <Loss order={order} check={check} name={name} />
      )}
      {problems.length > 0 && <Problems problems={problems} onFix={onFix} />}
      {warnings.length > 0 && (
        <Alert
          color="orange"
          variant="light"
          icon={<IconAlertTriangle aria-hidden />}
          title={t('To be known before')}
        >
          <List size="sm">
            {warnings.map((warning) => (
              <List.Item key={warning}>{warning}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Paper withBorder p="md">
        <Stack>
          <Group justify="space-between">
            <Title order={2} size="h5">
              {t('What was looked at')}
            </Title>
            <Button size="compact-sm" variant="default" loading={isLooking} onClick={onAgain}>
              {t('Look again')}
            </Button>
          </Group>
          <TestSteps steps={check.steps} />
        </Stack>
      </Paper>
      {isPossible && needsConfirmation && (
        <TextInput
          label={t('Type “{{name}}” to go on', { name })}
          description={t('The server “{{server}}” is in production.', { server: target.serverName })}
          value={confirmation}
          autoComplete="off"
          spellCheck={false}
          maw={420}
          onChange={({ currentTarget }) => onConfirmation(currentTarget.value)}
        />
      )}
      {error && <Failed title={t('The restore was not begun')} error={error} />}
      <Group>
        <Button
          size="md"
          color={order.mode === 'replace' ? 'red' : undefined}
          loading={isStarting}
          disabled={!isPossible || !isConfirmed}
          leftSection={<IconRestore size={18} aria-hidden />}
          onClick={run}
        >
          {order.mode === 'replace'
            ? t('Replace “{{name}}”', { name })
            : t('Restore into “{{name}}”', { name })}
        </Button>
      </Group>
    </Stack>
  )
}

function Summary({
  order,
  check: { snapshot, copy, target, estimate, isPossible },
}: {
  order: NewRestore
  check: RestoreCheck
}) {
  const t = useT()
  const language = useLanguage()
  const time = durationText(estimate.seconds * 1000, language)
  return (
    <Stack gap="sm">
      <Alert
        color={isPossible ? 'green' : 'red'}
        variant="light"
        icon={isPossible ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
        title={isPossible ? t('Nothing stands in the way') : t('It cannot be restored like this')}
      />
      <Facts
        facts={[
          [
            t('Snapshot'),
            t('{{database}} of “{{server}}”, taken at {{time}}', {
              database: shortName(snapshot.database),
              server: snapshot.serverName,
              time: exactTime(snapshot.takenAt, language),
            }),
          ],
          [t('Read from'), copy?.volumeName],
          [
            t('Goes into'),
            target.database === null
              ? t('the server “{{server}}” itself', { server: target.serverName })
              : t('{{database}} on “{{server}}”', { database: target.database, server: target.serverName }),
          ],
          [t('Mode'), t(restoreModes[order.mode].title)],
          [t('To be loaded'), bytesText(snapshot.rawBytes, language)],
          [
            t('May take'),
            estimate.basis === 'size'
              ? t('about {{time}}, as its size says', { time })
              : t('about {{time}}, as the last restore says', { time }),
          ],
        ]}
      />
    </Stack>
  )
}

/** What replacing costs. */
function Loss({ order, check: { target }, name }: { order: NewRestore; check: RestoreCheck; name: string }) {
  const t = useT()
  const language = useLanguage()
  const query = { server: target.serverId, database: target.database ?? '', limit: 1 }
  const { items } = useListed('GET /api/v1/snapshots', query)
  const [newest] = items ?? []
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('What will be lost')}
    >
      <List size="sm">
        <List.Item>
          {t('Everything that is in “{{name}}” on “{{server}}” now: all its tables, and all rows in them.', {
            name,
            server: target.serverName,
          })}
        </List.Item>
        <List.Item>
          {order.safetySnapshot
            ? t(
                'A safety snapshot of it is taken right before. The restore can be undone with that for some days.',
              )
            : t(
                'No safety snapshot is taken. What was written since the newest snapshot cannot be brought back.',
              )}
        </List.Item>
        {items && (
          <List.Item>
            {newest
              ? t('The newest snapshot of it that there is now was taken at {{time}}.', {
                  time: exactTime(newest.takenAt, language),
                })
              : t('There is no snapshot of it yet.')}
          </List.Item>
        )}
        {order.endSessions && <List.Item>{t('The sessions of everybody who uses it are ended.')}</List.Item>}
      </List>
    </Alert>
  )
}

interface ProblemsProps {
  problems: RestoreCheck['problems']
  onFix: (field: string) => void
}

function Problems({ problems, onFix }: ProblemsProps) {
  const t = useT()
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      icon={<IconX aria-hidden />}
      title={t('What stands in the way')}
    >
      <Stack gap="sm">
        {problems.map(({ message, hint, field }) => (
          <Stack key={message} gap={4} align="flex-start">
            <Text size="sm">{message}</Text>
            {hint !== undefined && (
              <Text size="sm" fw={500}>
                {hint}
              </Text>
            )}
            {field !== undefined && (
              <Button size="compact-sm" variant="default" onClick={() => onFix(field)}>
                {t('Change it')}
              </Button>
            )}
          </Stack>
        ))}
      </Stack>
    </Alert>
  )
}
