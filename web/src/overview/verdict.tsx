import { Anchor, Group, Paper, SimpleGrid, Stack, Text, ThemeIcon } from '@mantine/core'
import { IconAlertTriangle, IconShieldCheck, IconShieldOff } from '@tabler/icons-react'
import type { Overview, Standing } from '../../../src/shared/overview.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { LinkTo } from '../parts/link.tsx'
import classes from './overview.module.css'

const words: Record<Standing, string> = {
  protected: msg('protected'),
  overdue: msg('overdue'),
  failing: msg('failing'),
  never: msg('never backed up'),
}
const order: readonly Standing[] = ['protected', 'overdue', 'failing', 'never']

/** One sentence that reassures, or says how many are not protected; and the numbers behind it. */
export function Verdict({ counts }: { counts: Overview['counts'] }) {
  const t = useT()
  const language = useLanguage()
  const total = order.reduce((sum, standing) => sum + counts[standing], 0)
  const open = total - counts.protected
  if (total === 0) {
    return (
      <Paper withBorder p="lg">
        <Sentence color="gray" icon={<IconShieldOff aria-hidden />}>
          {t('Nothing is backed up yet')}
        </Sentence>
      </Paper>
    )
  }
  return (
    <Paper withBorder p="lg">
      <Stack gap="lg">
        {open === 0 ? (
          <Sentence color="green" icon={<IconShieldCheck aria-hidden />}>
            {total === 1
              ? t('Your database is protected')
              : t('All {{count}} databases are protected', { count: total })}
          </Sentence>
        ) : (
          <Sentence color={counts.failing > 0 ? 'red' : 'orange'} icon={<IconAlertTriangle aria-hidden />}>
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

interface SentenceProps {
  color: string
  icon: React.ReactNode
  children: string
}

function Sentence({ color, icon, children }: SentenceProps) {
  return (
    <Group gap="md" wrap="nowrap">
      <ThemeIcon size={48} radius="xl" variant="light" color={color}>
        {icon}
      </ThemeIcon>
      <Text component="p" m={0} fz={{ base: 'lg', sm: 'h2' }} fw={650} role="status">
        {children}
      </Text>
    </Group>
  )
}
