import { Paper, Stack, Text, Title } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { Logo } from '../shell/logo.tsx'
import { LanguageChoice } from './language-choice.tsx'

interface OutsideProps {
  title: string
  about?: ReactNode
  children: ReactNode
}

/** The frame of the pages that stand before the door: nobody has signed in. */
export function Outside({ title, about, children }: OutsideProps) {
  useDocumentTitle(`${title} · Holdfast`)
  return (
    <Stack component="main" mih="100dvh" align="center" justify="center" gap="lg" px="md" py="xl">
      <Logo />
      <Paper withBorder shadow="sm" p={{ base: 'lg', sm: 'xl' }} w="100%" maw={440}>
        <Stack gap="lg">
          <Stack gap={4}>
            <Title order={1} size="h3">
              {title}
            </Title>
            {about && (
              <Text c="dimmed" size="sm">
                {about}
              </Text>
            )}
          </Stack>
          {children}
        </Stack>
      </Paper>
      <LanguageChoice size="xs" />
    </Stack>
  )
}
