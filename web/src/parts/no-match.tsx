import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useT } from '../i18n/i18n.ts'
import { Empty } from './empty.tsx'

interface NoMatchProps {
  icon: ReactNode
  title: string
  onClear: () => void
}

/** There is something, but nothing that the filters let through. */
export function NoMatch({ icon, title, onClear }: NoMatchProps) {
  const t = useT()
  return (
    <Empty
      icon={icon}
      title={title}
      action={
        <Button variant="default" onClick={onClear}>
          {t('Clear filters')}
        </Button>
      }
    >
      {t('Nothing matches these filters.')}
    </Empty>
  )
}
