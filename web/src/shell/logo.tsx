import { Group, Text } from '@mantine/core'

/** The sign and the name. */
export function Logo({ isSignOnly = false }: { isSignOnly?: boolean }) {
  return (
    <Group gap={8} wrap="nowrap">
      <svg viewBox="0 0 32 32" width={28} height={28} aria-hidden>
        <rect width="32" height="32" rx="7" fill="#0b7285" />
        <path
          d="M10 8v16M22 8v16M10 16h12"
          stroke="#fff"
          strokeWidth="3.4"
          strokeLinecap="round"
          fill="none"
        />
        <path d="M16 10.5v11" stroke="#99e9f2" strokeWidth="2" strokeLinecap="round" />
      </svg>
      {!isSignOnly && (
        <Text span fw={700} size="lg">
          Holdfast
        </Text>
      )}
    </Group>
  )
}
