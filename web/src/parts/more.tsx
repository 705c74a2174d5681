import { Button, Center } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'

interface Listed {
  hasNextPage: boolean
  isFetchingNextPage: boolean
  fetchNextPage: () => unknown
}

/** Below a list that has more than is shown. */
export function More({ of: { hasNextPage, isFetchingNextPage, fetchNextPage } }: { of: Listed }) {
  const t = useT()
  if (!hasNextPage) return null
  return (
    <Center>
      <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {t('Show more')}
      </Button>
    </Center>
  )
}
