import { ActionIcon, Box, Button, Group, Menu, NavLink, Stack, Tooltip, UnstyledButton } from '@mantine/core'
import { IconLayoutSidebar, IconSearch, IconSettings, IconUserCircle } from '@tabler/icons-react'
import { useRouterState } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useT } from '../i18n/i18n.ts'
import { useMay, useMe } from '../me.ts'
import { LinkTo } from '../parts/link.tsx'
import { Logo } from './logo.tsx'
import { OrganizationSwitch } from './organization-switch.tsx'
import { configuration, type Place, places } from './places.ts'
import classes from './shell.module.css'

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

interface NavigationProps {
  /** Only the signs, on a screen that is wide enough for the rest. */
  isNarrow: boolean
  onNarrow: () => void
  onSearch: () => void
}

/** Where one can go. */
export function Navigation({ isNarrow, onNarrow, onSearch }: NavigationProps) {
  const t = useT()
  const may = useMay()
  const { user } = useMe()
  const path = useRouterState({ select: ({ location }) => location.pathname })
  const isInConfiguration = path.startsWith('/settings')
  const [isOpen, setOpen] = useState(isInConfiguration)
  const seen = configuration.filter(({ requires }) => requires === undefined || may(requires))
  const width = isNarrow ? t('Wide navigation') : t('Narrow navigation')
  return (
    <>
      <Group
        className={classes.edge}
        justify={isNarrow ? 'center' : 'space-between'}
        wrap="nowrap"
        visibleFrom="sm"
      >
        <UnstyledButton component={LinkTo} to="/" aria-label={t('Holdfast, overview')}>
          <Logo isSignOnly={isNarrow} />
        </UnstyledButton>
        {!isNarrow && <NarrowButton label={width} onClick={onNarrow} />}
      </Group>
      {isNarrow ? (
        <Stack className={classes.edge} pt={0} gap="xs" align="center">
          <OrganizationSwitch isNarrow />
          <Tooltip label={t('Search')} position="right">
            <ActionIcon variant="default" size="lg" aria-label={t('Search')} onClick={onSearch}>
              <IconSearch size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Stack>
      ) : (
        <Box className={classes.edge} pt={0}>
          <OrganizationSwitch />
          <Button
            mt="xs"
            fullWidth
            variant="default"
            justify="space-between"
            visibleFrom="sm"
            leftSection={<IconSearch size={16} aria-hidden />}
            rightSection={<kbd>{isMac ? '⌘K' : 'Ctrl K'}</kbd>}
            onClick={onSearch}
          >
            {t('Search')}
          </Button>
        </Box>
      )}
      <nav className={classes.navigation} aria-label={t('Navigation')}>
        {places.map((place) => (
          <PlaceLink key={place.to} place={place} path={path} isNarrow={isNarrow} />
        ))}
        {isNarrow ? (
          <Menu position="right-end">
            <Menu.Target>
              <NavLink
                component="button"
                className={`${classes.link} ${classes.narrow}`}
                aria-label={t('Configuration')}
                title={t('Configuration')}
                active={isInConfiguration}
                leftSection={<IconSettings size={18} aria-hidden />}
              />
            </Menu.Target>
            <Menu.Dropdown>
              {seen.map(({ title, to, icon: Icon }) => (
                <Menu.Item key={to} component={LinkTo} to={to} leftSection={<Icon size={16} aria-hidden />}>
                  {t(title)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        ) : (
          <NavLink
            component="button"
            className={classes.link}
            label={t('Configuration')}
            leftSection={<IconSettings size={18} aria-hidden />}
            opened={isOpen}
            onChange={setOpen}
            childrenOffset={20}
          >
            {seen.map((place) => (
              <PlaceLink key={place.to} place={place} path={path} isNarrow={false} />
            ))}
          </NavLink>
        )}
      </nav>
      <Box className={classes.edge}>
        {isNarrow && <NarrowButton label={width} onClick={onNarrow} />}
        <PlaceLink
          place={{ title: user?.name ?? 'Profile', to: '/profile', icon: IconUserCircle }}
          path={path}
          isNarrow={isNarrow}
        />
      </Box>
    </>
  )
}

/** Not by `scrollIntoView`: the first press of Tab would go on from the link, past “Skip to the content”. */
function showInList(link: HTMLElement): void {
  const list = link.closest('nav')
  if (!list) return
  const [place, frame] = [link.getBoundingClientRect(), list.getBoundingClientRect()]
  list.scrollTop += Math.max(0, place.bottom - frame.bottom) - Math.max(0, frame.top - place.top)
}

function NarrowButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Tooltip label={label} position="right">
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={onClick}>
        <IconLayoutSidebar size={18} aria-hidden />
      </ActionIcon>
    </Tooltip>
  )
}

interface PlaceLinkProps {
  place: Place
  path: string
  isNarrow: boolean
}

function PlaceLink({ place: { title, to, icon: Icon }, path, isNarrow }: PlaceLinkProps) {
  const t = useT()
  const isHere = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
  const link = useRef<HTMLAnchorElement>(null)
  // On a low screen the list is longer than its place.
  useEffect(() => {
    if (isHere && link.current) showInList(link.current)
  }, [isHere])
  const shown = (
    <NavLink
      ref={link}
      component={LinkTo}
      to={to}
      className={isNarrow ? `${classes.link} ${classes.narrow}` : classes.link}
      label={isNarrow ? undefined : t(title)}
      aria-label={isNarrow ? t(title) : undefined}
      aria-current={isHere ? 'page' : undefined}
      active={isHere}
      leftSection={<Icon size={18} aria-hidden />}
    />
  )
  return isNarrow ? (
    <Tooltip label={t(title)} position="right">
      {shown}
    </Tooltip>
  ) : (
    shown
  )
}
