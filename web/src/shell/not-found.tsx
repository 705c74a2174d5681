import { Button, Center } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'

export function NotFound() {
  const t = useT()
  return (
    <Center mih="60vh" p="md">
      <Empty
        icon={<IconMapOff size={26} />}
        title={t('There is no such page')}
        action={
          <Button component={LinkTo} to="/">
            {t('To the overview')}
          </Button>
        }
      />
    </Center>
  )
}
