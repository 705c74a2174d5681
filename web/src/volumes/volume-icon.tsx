import { ThemeIcon } from '@mantine/core'
import { IconCloudFilled, IconDatabase, IconFolderFilled, IconServer } from '@tabler/icons-react'

const icons: Record<string, { icon: typeof IconDatabase; color: string }> = {
  local: { icon: IconFolderFilled, color: 'blue' },
  s3: { icon: IconCloudFilled, color: 'green' },
  sftp: { icon: IconServer, color: 'violet' },
}

/** The sign of a kind of volume: a blue folder, a green cloud … Its name stands beside it. */
export function VolumeIcon({ kind }: { kind: string }) {
  const { icon: Icon, color } = icons[kind] ?? { icon: IconDatabase, color: 'gray' }
  return (
    <ThemeIcon variant="light" color={color} size="lg" aria-hidden data-kind={kind}>
      <Icon size={20} />
    </ThemeIcon>
  )
}
