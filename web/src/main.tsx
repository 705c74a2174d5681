import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { AppError } from '../../src/shared/errors.ts'
import { queryClient } from './api.ts'
import { startLanguages } from './i18n/i18n.ts'
import { router } from './router.tsx'
import { theme } from './theme.ts'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './page.css'

await startLanguages()

// A session that has ended in the meantime: whatever was asked, the way leads to the sign-in, and back.
queryClient.getQueryCache().subscribe(({ type, query }) => {
  const { error } = query.state
  if (type !== 'updated' || !(error instanceof AppError) || error.code !== 'not_signed_in') return
  if (router.state.matches.some(({ routeId }) => routeId === '/shell')) {
    queryClient.clear()
    void router.invalidate()
  }
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
