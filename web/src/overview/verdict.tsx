import { Anchor, Group, Paper, SimpleGrid, Stack, Text, ThemeIcon } from '@mantine/core'
import { IconAlertTriangle, IconShieldCheck, IconShieldOff } from '@tabler/icons-react'
import type {
  DatabaseStanding,
  Overview,
  Standing,
  Trouble,
  TroubleKind,
} from '../../../src/shared/overview.ts'
import { databaseTitle } from '../databases/database-title.ts'
import { msg, type Translate, useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { LinkTo } from '../parts/link.tsx'
import { listText } from '../parts/list-text.ts'
import { shortTime } from '../parts/when.tsx'
import classes from './overview.module.css'

const words: Record<Standing, string> = {
  protected: msg('protected'),
  overdue: msg('overdue'),
  failing: msg('failing'),
  never: msg('never backed up'),
}
const order: readonly Standing[] = ['protected', 'overdue', 'failing', 'never']

/** With these there are snapshots that would not help. */
const unusable: readonly TroubleKind[] = ['copies-corrupt', 'copies-missing', 'key-missing']

/** So many that are not protected are named; there is a list of them below. */
const NAMED = 3

interface VerdictProps {
  counts: Overview['counts']
  /** Those that are not protected, or the first of them. */
  items: readonly DatabaseStanding[]
  /** What else is wrong. */
  troubles: readonly Trouble[]
}

/** One sentence that reassures, or says which are not protected and since when; and the numbers behind it. */
export function Verdict({ counts, items, troubles }: VerdictProps) {
  const t = useT()
  const language = useLanguage()
  const total = order.reduce((sum, standing) => sum + counts[standing], 0)
  const open = total - counts.protected
  const namesOf = (names: readonly string[], all = names.length) =>
    listText(
      [...names.slice(0, NAMED), ...(all > NAMED ? [t('{{count}} more', { count: all - NAMED })] : [])],
      language,
    )
  const troubled = troubles.length > 0 ? namesOf([...new Set(troubles.map(({ name }) => name))]) : undefined
  if (total === 0) {
    return (
      <Paper withBorder p="lg">
        <Sentence
          color={troubled === undefined ? 'gray' : 'orange'}
          icon={<IconShieldOff aria-hidden />}
          about={troubled}
        >
          {t('Nothing is backed up yet')}
        </Sentence>
      </Paper>
    )
  }
  return (
    <Paper withBorder p="lg">
      <Stack gap="lg">
        {open === 0 && troubled !== undefined ? (
          <Sentence color="orange" icon={<IconAlertTriangle aria-hidden />} about={troubled}>
            {troubles.some(({ kind }) => unusable.includes(kind))
              ? t('All {{count}} databases were backed up, but some copies cannot be used', { count: total })
              : total === 1
                ? t('Your database is protected, but something else needs attention')
                : t('All {{count}} databases are protected, but something else needs attention', {
                    count: total,
                  })}
          </Sentence>
        ) : open === 0 ? (
          <Sentence color="green" icon={<IconShieldCheck aria-hidden />}>
            {total === 1
              ? t('Your database is protected')
              : t('All {{count}} databases are protected', { count: total })}
          </Sentence>
        ) : (
          <Sentence
            color={counts.failing > 0 ? 'red' : 'orange'}
            icon={<IconAlertTriangle aria-hidden />}
            about={namesOf(
              items.map((item) => nameOf(item, t, language)),
              open,
            )}
          >
            {t('{{count}} of {{total}} databases are not protected', { count: open, total })}
          </Sentence>
        )}
        <SimpleGrid cols={{ base: 2, xs: 4 }}>
          {order.map((standing) => (
            <Stack key={standing} gap={0} className={classes.count} data-standing={standing}>
              <Anchor
                component={LinkTo}
                to="/databases"
                search={{ standing }}
                c="inherit"
                fz="h2"
                fw={650}
                aria-label={`${numberText(counts[standing], language)} ${t(words[standing])}`}
              >
                {numberText(counts[standing], language)}
              </Anchor>
              <Text size="sm" c="dimmed" aria-hidden>
                {t(words[standing])}
              </Text>
            </Stack>
          ))}
        </SimpleGrid>
      </Stack>
    </Paper>
  )
}

/** What it is called, and since when it is overdue, or when it was backed up last. */
function nameOf(
  { database, planName, standing, lastSuccessAt, overdueAt }: DatabaseStanding,
  t: Translate,
  language: string,
): string {
  const name = databaseTitle(database) ?? planName
  if (lastSuccessAt === null) return t('{{name}} (never backed up)', { name })
  if (standing === 'overdue' && overdueAt !== null) {
    return t('{{name}} (since {{time}})', { name, time: shortTime(overdueAt, language) })
  }
  return t('{{name}} (last success {{time}})', { name, time: shortTime(lastSuccessAt, language) })
}

interface SentenceProps {
  color: string
  icon: React.ReactNode
  /** A second, smaller line. */
  about?: string | undefined
  children: string
}

function Sentence({ color, icon, about, children }: SentenceProps) {
  return (
    <Group gap="md" wrap="nowrap">
      <ThemeIcon size={48} radius="xl" variant="light" color={color}>
        {icon}
      </ThemeIcon>
      <Stack gap={2} role="status">
        <Text component="p" m={0} fz={{ base: 'lg', sm: 'h2' }} fw={650}>
          {children}
        </Text>
        {about !== undefined && (
          <Text component="p" m={0} style={{ overflowWrap: 'anywhere' }}>
            {about}
          </Text>
        )}
      </Stack>
    </Group>
  )
}
