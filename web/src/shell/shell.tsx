import { Alert, AppShell, Box, Burger, Button, Group, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure, useHotkeys, useLocalStorage } from '@mantine/hooks'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { followEvents, useConnection } from '../live.ts'
import { LinkTo } from '../parts/link.tsx'
import { shortTime } from '../parts/when.tsx'
import { Navigation } from './navigation.tsx'
import { Logo } from './logo.tsx'
import classes from './shell.module.css'

const Commands = lazy(() => import('./commands.tsx'))

/** What stands around every page of who has signed in. */
export function Shell() {
  const t = useT()
  const [isMenuOpen, { toggle: toggleMenu, close: closeMenu }] = useDisclosure(false)
  const [isNarrow, setNarrow] = useLocalStorage({ key: 'holdfast-narrow-navigation', defaultValue: false })
  const [areCommandsWanted, commands] = useDisclosure(false)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  useEffect(() => closeMenu(), [path, closeMenu])
  useEffect(() => {
    const stop = new AbortController()
    void followEvents(stop.signal)
    return () => stop.abort()
  }, [])
  useHotkeys([['mod+K', commands.open]], [])
  return (
    <AppShell
      header={{ height: { base: 56, sm: 0 } }}
      navbar={{ width: isNarrow ? 68 : 248, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      padding={{ base: 'md', sm: 'xl' }}
      transitionDuration={0}
    >
      <a href="#content" className={classes.skip}>
        {t('Skip to the content')}
      </a>
      <AppShell.Header hiddenFrom="sm">
        <Group h="100%" px="md" justify="space-between">
          <Group gap="sm">
            <Burger opened={isMenuOpen} onClick={toggleMenu} size="sm" aria-label={t('Menu')} />
            <UnstyledButton component={LinkTo} to="/" aria-label={t('Holdfast, overview')}>
              <Logo />
            </UnstyledButton>
          </Group>
          <Button variant="default" size="xs" onClick={commands.open}>
            {t('Search')}
          </Button>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <Navigation
          isNarrow={isNarrow && !isMenuOpen}
          onNarrow={() => setNarrow(!isNarrow)}
          onSearch={commands.open}
        />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Box className={classes.content}>
          <LostConnection />
          <Outlet />
        </Box>
      </AppShell.Main>
      {areCommandsWanted && (
        <Suspense>
          <Commands onClose={commands.close} />
        </Suspense>
      )}
    </AppShell>
  )
}

/** What is on the screen may be old: that must be seen. */
function LostConnection() {
  const t = useT()
  const language = useLanguage()
  const { isLive, since } = useConnection()
  if (isLive) return null
  return (
    <Alert
      color="orange"
      icon={<IconPlugConnectedX aria-hidden />}
      mb="md"
      title={t('Holdfast does not answer')}
    >
      <Text size="sm">
        {t('What you see is from {{time}}. The page goes on by itself when Holdfast is back.', {
          time: shortTime(new Date(since).toISOString(), language),
        })}
      </Text>
    </Alert>
  )
}
