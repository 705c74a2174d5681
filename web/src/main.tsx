import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api.ts'
import { startLanguages } from './i18n/i18n.ts'
import { router } from './router.tsx'
import { theme } from './theme.ts'
import { wayIn } from './way-in.ts'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './page.css'

await startLanguages()

// A session that has ended in the meantime: whatever was asked or done, the way leads to the sign-in, and back. So it
// does where more is demanded of it than it began with.
async function leadToSignIn(error: unknown): Promise<void> {
  const way = wayIn(error)
  if (way === undefined) return
  const isInside = router.state.matches.some(({ routeId }) => routeId === '/shell')
  if (!isInside || router.state.status === 'pending') return
  const to = router.state.location.href
  await router.navigate({ to: way, search: { to }, ignoreBlocker: true })
  queryClient.removeQueries({ type: 'inactive' })
}
queryClient.getQueryCache().subscribe(({ type, query }) => {
  if (type === 'updated') void leadToSignIn(query.state.error)
})
queryClient.getMutationCache().subscribe(({ type, mutation }) => {
  if (type === 'updated') void leadToSignIn(mutation.state.error)
})

// A part of the page is not there any more: the app is a newer one since. Loaded anew, the page is, too; but not again and again.
window.addEventListener('vite:preloadError', () => {
  const RECENTLY = 60_000
  const lastAt = Number(sessionStorage.getItem('holdfast-loaded-anew-at'))
  if (Date.now() - lastAt < RECENTLY) return
  sessionStorage.setItem('holdfast-loaded-anew-at', String(Date.now()))
  location.reload()
})

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </MantineProvider>
    </QueryClientProvider>
  </StrictMode>,
)
