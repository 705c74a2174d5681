import { z } from 'zod'
import { errors, type ErrorCode } from './errors.ts'

/** How the API says that something went wrong: RFC 9457, with our code and hint. */
export const problem = z
  .object({
    type: z.string().meta({ description: 'urn:holdfast:error: and the code' }),
    title: z.string().meta({ description: 'One sentence for a person' }),
    status: z.int(),
    code: z.enum(Object.keys(errors) as [ErrorCode, ...ErrorCode[]]),
    hint: z.string().optional().meta({ description: 'What can be done next' }),
    retryable: z.boolean().meta({ description: 'Whether the same request can succeed later' }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'What is wrong with which field; nested ones like times.0' }),
  })
  .meta({ id: 'Problem' })

export type Problem = z.output<typeof problem>
