import { Group, Text, Tooltip } from '@mantine/core'
import { useInViewport } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { asking } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { durationText } from '../parts/when.tsx'
import classes from './connection-state.module.css'

/** So often it is looked at again while it is seen. */
const AGAIN = 60_000

/** Whether the server answers now: asked when it comes into view. */
export function ConnectionState({ id }: { id: string }) {
  const t = useT()
  const language = useLanguage()
  const { ref, inViewport } = useInViewport<HTMLDivElement>()
  const { data, error, isFetching } = useQuery({
    ...asking('GET /api/v1/servers/{id}/connection', { params: { id } }),
    enabled: inViewport,
    staleTime: 30_000,
    refetchInterval: AGAIN,
  })
  if (data?.isReachable) {
    return (
      <Dot refTo={ref} state="answers" about={data.version ?? undefined}>
        {t('answers ({{duration}})', { duration: durationText(data.milliseconds, language) })}
      </Dot>
    )
  }
  if (data) {
    return (
      <Dot refTo={ref} state="silent" about={data.error?.message}>
        {t('does not answer')}
      </Dot>
    )
  }
  return (
    <Dot refTo={ref} state="unknown" about={error?.message} isBusy={isFetching}>
      {error ? t('unknown') : t('being looked at')}
    </Dot>
  )
}

interface DotProps {
  refTo: (element: HTMLDivElement | null) => void
  state: 'answers' | 'silent' | 'unknown'
  about?: string | undefined
  isBusy?: boolean
  children: string
}

function Dot({ refTo, state, about, isBusy = false, children }: DotProps) {
  return (
    <Tooltip label={about} disabled={about === undefined}>
      <Group ref={refTo} gap={8} wrap="nowrap" w="fit-content" aria-busy={isBusy}>
        <span className={classes.dot} data-state={state} aria-hidden />
        <Text span size="sm">
          {children}
        </Text>
      </Group>
    </Tooltip>
  )
}
