import { IconBrandMysql, IconDatabase, IconFile } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { AnswerOf } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { KindCards } from '../parts/kind-cards.tsx'

export type EngineDescription = AnswerOf<'GET /api/v1/engines'>['items'][number]

const icons: Readonly<Record<string, ReactNode>> = {
  mysql: <IconBrandMysql size={28} stroke={1.5} aria-hidden />,
  sqlite: <IconFile size={28} stroke={1.5} aria-hidden />,
}

interface EngineCardsProps {
  engines: readonly EngineDescription[]
  value: string | undefined
  onChange: (engine: string) => void
}

export function EngineCards({ engines, value, onChange }: EngineCardsProps) {
  const t = useT()
  return (
    <KindCards
      label={t('Engine')}
      kinds={engines.map(({ name, label }) => ({
        name,
        label,
        icon: icons[name] ?? <IconDatabase size={28} stroke={1.5} aria-hidden />,
      }))}
      value={value}
      onChange={onChange}
    />
  )
}
