import { Anchor, Button, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { DatabaseStanding, Overview, Standing, Trouble } from '../../../src/shared/overview.ts'
import { useChange } from '../api.ts'
import { databaseTitle } from '../databases/database-title.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { StandingBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import classes from './overview.module.css'
import { TroubleItem } from './trouble-item.tsx'

const sentences: Record<Standing, string> = {
  protected: msg('The last backup succeeded.'),
  failing: msg('The last backup failed.'),
  overdue: msg('A backup is missing: the last one is older than the plan allows.'),
  never: msg('No backup has succeeded yet.'),
}

interface AttentionProps {
  items: readonly DatabaseStanding[]
  counts: Overview['counts']
  troubles: readonly Trouble[]
}

/** Exactly which databases are not protected, and what else is wrong: since when, why, and with what helps beside each. */
export function Attention({ items, counts, troubles }: AttentionProps) {
  const t = useT()
  if (items.length + troubles.length === 0) return null
  const others = counts.failing + counts.overdue + counts.never - items.length
  return (
    <Paper withBorder>
      <Stack gap={0}>
        <Title order={2} size="h4" p="lg" pb="xs">
          {t('What needs attention')}
        </Title>
        {items.map((item) => (
          <Item key={`${item.planId} ${item.database}`} item={item} />
        ))}
        {others > 0 && (
          <Anchor
            component={LinkTo}
            to="/databases"
            search={{ standing: 'failing,overdue,never' }}
            p="lg"
            pt="xs"
          >
            {t('{{count}} more', { count: others })}
          </Anchor>
        )}
        {troubles.map((trouble) => (
          <TroubleItem key={`${trouble.kind} ${trouble.id} ${trouble.name}`} trouble={trouble} />
        ))}
      </Stack>
    </Paper>
  )
}

function Item({ item }: { item: DatabaseStanding }) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const {
    planId,
    planName,
    serverName,
    database,
    standing,
    lastError,
    lastSuccessAt,
    firstSeenAt,
    lastFailedJobId,
  } = item
  const run = useChange('POST /api/v1/plans/{id}/run', {
    onSuccess: ({ body }) => 'jobId' in body && navigate({ to: `/jobs/${body.jobId}` }),
  })
  return (
    <Stack gap="xs" px="lg" py="md" className={classes.row}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <Stack gap={4} maw="46rem" style={{ flex: '1 1 18rem', minWidth: 0 }}>
          <Group gap="xs">
            <Anchor
              component={LinkTo}
              to={`/databases/${planId}`}
              search={{ name: database ?? undefined }}
              fw={600}
            >
              {databaseTitle(database) ?? planName}
            </Anchor>
            <Text span c="dimmed" size="sm">
              {serverName} · {planName}
            </Text>
            <StandingBadge standing={standing} />
          </Group>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {standing === 'failing' && lastError ? lastError.message : t(sentences[standing])}{' '}
            {lastSuccessAt !== null ? (
              <Text span size="sm" c="dimmed">
                {t('Last success:')} <When at={lastSuccessAt} />
              </Text>
            ) : (
              firstSeenAt !== null && (
                <Text span size="sm" c="dimmed">
                  {t('Known since:')} <When at={firstSeenAt} />
                </Text>
              )
            )}
          </Text>
        </Stack>
        <Group gap="xs">
          {lastFailedJobId !== null && standing === 'failing' && (
            <Button component={LinkTo} to={`/jobs/${lastFailedJobId}`} size="xs" variant="default">
              {t('See what went wrong')}
            </Button>
          )}
          {may('run-backups') && (
            <Button
              size="xs"
              variant="light"
              loading={run.isPending}
              leftSection={<IconPlayerPlay size={14} aria-hidden />}
              onClick={() =>
                run.mutate({
                  params: { id: planId },
                  body: database === null ? {} : { databases: [database] },
                })
              }
            >
              {t('Back up now')}
            </Button>
          )}
        </Group>
      </Group>
      {run.error && <Failed error={run.error} />}
    </Stack>
  )
}
