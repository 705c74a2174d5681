import { note } from './terminal.ts'

/**
 * Aborts on the first SIGINT or SIGTERM, so that the job can tidy up; the second one ends the process at once.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
      note(`${name}: stopping, and removing what was begun. Again to end at once.`)
      controller.abort()
    })
  }
  return controller.signal
}
