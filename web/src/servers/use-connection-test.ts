import { useState } from 'react'
import type { TestReport } from '../../../src/shared/test-report.ts'
import { useChange } from '../api.ts'
import type { ServerDraft } from './server-draft.ts'

type Tried = Pick<ServerDraft, 'engine' | 'connection'>

/** Tries what a form says. What it found is forgotten as soon as the form says something else. */
export function useConnectionTest(draft: Tried, serverId?: string) {
  const [found, setFound] = useState<{ of: string; report: TestReport }>()
  const test = useChange('POST /api/v1/servers/test', { changesNothing: true })
  const { engine, connection } = draft
  const now = JSON.stringify({ engine, connection })
  return {
    report: found?.of === now ? found.report : undefined,
    isPending: test.isPending,
    error: test.error,
    /** Undefined if it could not be tried: then `error` says why. */
    async run(): Promise<TestReport | undefined> {
      try {
        const { body } = await test.mutateAsync({
          body: { engine, connection, ...(serverId !== undefined && { serverId }) },
        })
        setFound({ of: now, report: body })
        return body
      } catch {
        return undefined // which `error` tells
      }
    },
  }
}
