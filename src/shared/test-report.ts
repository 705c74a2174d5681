import { z } from 'zod'

/** One line of the report that a test of a connection or a volume gives. */
export const testStep = z
  .object({
    step: z.string().meta({ description: 'reach and sign in, write, read a range, free space, …' }),
    outcome: z.enum(['ok', 'warning', 'failed', 'skipped']),
    detail: z.string().optional().meta({ description: 'What was found, or went wrong, and what helps' }),
    milliseconds: z.number().optional(),
  })
  .meta({ id: 'TestStep' })

export type TestStep = z.output<typeof testStep>

export const testReport = z
  .object({ passed: z.boolean(), steps: z.array(testStep) })
  .meta({ id: 'TestReport' })

export type TestReport = z.output<typeof testReport>
