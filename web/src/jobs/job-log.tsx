import { Box, Button, Group, Paper, SegmentedControl, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconDownload, IconSearch } from '@tabler/icons-react'
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { basePath } from '../base-path.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { Failed } from '../parts/failed.tsx'
import { exactTime } from '../parts/when.tsx'
import { type LogLine, useLog } from './follow-log.ts'
import classes from './job-log.module.css'

/** Lines that stand on the page at once. */
const WINDOW = 2_000
/** So near to the end, in pixels, one reads the end. */
const NEAR = 40

type Level = 'info' | 'warning' | 'error'

/** What a job says, live; to be searched, limited to what is bad, and downloaded. */
export function JobLog({ jobId }: { jobId: string }) {
  const t = useT()
  const language = useLanguage()
  const log = useLog(jobId)
  const [search, setSearch] = useState('')
  const [level, setLevel] = useState<Level>('info')
  const [end, setEnd] = useState<number>()
  const [turns, setTurns] = useState(0)
  const found = useMemo(() => matching(log.lines, search, level), [log.lines, search, level])
  const shownEnd = Math.min(end ?? found.length, found.length)
  const start = Math.max(0, shownEnd - WINDOW)
  const isFiltered = found.length < log.lines.length
  const limit = (change: () => void) => {
    change()
    setEnd(undefined)
  }
  const turnTo = (last: number | undefined) => {
    setEnd(last)
    setTurns(turns + 1)
  }
  return (
    <Paper withBorder p="md" component="section" aria-label={t('Log')}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-end">
          <Title order={2} size="h4">
            {t('Log')}
          </Title>
          <Group gap="sm" align="flex-end">
            <TextInput
              aria-label={t('Search in the log')}
              placeholder={t('Search in the log')}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={search}
              onChange={({ currentTarget: { value } }) => limit(() => setSearch(value))}
            />
            <SegmentedControl
              aria-label={t('Level')}
              value={level}
              data={[
                { value: 'info', label: t('All') },
                { value: 'warning', label: t('Warnings') },
                { value: 'error', label: t('Errors') },
              ]}
              onChange={(chosen) => limit(() => setLevel(chosen))}
            />
            <Button
              component="a"
              href={`${basePath}/api/v1/jobs/${jobId}/log?as=text`}
              download
              variant="default"
              leftSection={<IconDownload size={16} aria-hidden />}
            >
              {t('Download')}
            </Button>
          </Group>
        </Group>
        {log.error &&
          (log.error.code === 'not_found' ? (
            <Text size="sm">{t('The log of this job is not kept any more.')}</Text>
          ) : (
            <Failed error={log.error} />
          ))}
        {start > 0 && (
          <Group>
            <Button size="compact-sm" variant="default" onClick={() => turnTo(start)}>
              {t('Earlier lines')}
            </Button>
          </Group>
        )}
        <Lines
          key={turns}
          lines={found.slice(start, shownEnd)}
          isOver={log.isOver}
          isFiltered={isFiltered}
          isTurnedTo={turns > 0}
        />
        <Group justify="space-between">
          <Text size="xs" c="dimmed" aria-live="polite">
            {isFiltered
              ? t('{{shown}} of {{all}} lines', {
                  shown: numberText(found.length, language),
                  all: numberText(log.lines.length, language),
                })
              : t('{{count}} lines', { count: log.count })}
          </Text>
          {end !== undefined && (
            <Button size="compact-sm" variant="default" onClick={() => turnTo(undefined)}>
              {t('To the newest lines')}
            </Button>
          )}
        </Group>
      </Stack>
    </Paper>
  )
}

interface LinesProps {
  lines: readonly LogLine[]
  isOver: boolean
  isFiltered: boolean
  /** By a button, which may be gone now. */
  isTurnedTo: boolean
}

/** Begins at the end, where one reads on upwards, and stays there while one reads the end. */
function Lines({ lines, isOver, isFiltered, isTurnedTo }: LinesProps) {
  const t = useT()
  const frame = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    if (frame.current && isAtEnd.current) frame.current.scrollTop = frame.current.scrollHeight
  }, [lines])
  useEffect(() => {
    if (isTurnedTo) frame.current?.focus({ preventScroll: true })
  }, [isTurnedTo])
  const silence = isFiltered ? t('No line matches.') : isOver ? t('It has said nothing.') : t('Nothing yet.')
  return (
    <Box
      ref={frame}
      className={classes.frame}
      role="log"
      aria-live="off"
      aria-label={t('Lines of the log')}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR
      }}
    >
      {lines.length === 0 && <span className={classes.silence}>{silence}</span>}
      {lines.map((line) => (
        <Line key={line.number} line={line} />
      ))}
    </Box>
  )
}

/** Drawn once: new lines must not draw the old ones anew. */
const Line = memo(function Line({ line: { at, level, message, fields } }: { line: LogLine }) {
  const t = useT()
  const language = useLanguage()
  const time = new Date(at).toLocaleTimeString(language)
  return (
    <div className={classes.line} data-level={level}>
      <time dateTime={at} className={classes.time} title={exactTime(at, language)}>
        {time}
      </time>
      <span>
        {level !== 'info' && <b>{level === 'error' ? t('Error:') : t('Warning:')} </b>}
        {message}
        {fields && <span className={classes.fields}> {JSON.stringify(fields)}</span>}
      </span>
    </div>
  )
})

const weights: Record<Level, number> = { info: 0, warning: 1, error: 2 }

function matching(lines: readonly LogLine[], search: string, level: Level): readonly LogLine[] {
  const text = search.trim().toLowerCase()
  if (text === '' && level === 'info') return lines
  return lines.filter(
    (line) =>
      weights[line.level] >= weights[level] &&
      (text === '' ||
        `${line.message} ${line.fields ? JSON.stringify(line.fields) : ''}`.toLowerCase().includes(text)),
  )
}
