import { z } from 'zod'

/** What is to be checked on a volume. */
export const checkOrder = z
  .strictObject({
    contents: z.boolean().default(false).meta({
      description: 'Also read copies whole and compare them, those first that were not read for longest',
    }),
    share: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .meta({ description: 'Of all bytes, so much is read; absent: the share of one day' }),
  })
  .meta({ id: 'CheckOrder' })

export const startedCheck = z
  .object({ jobIds: z.array(z.string()).meta({ description: 'Of the jobs that check it' }) })
  .meta({ id: 'StartedCheck' })
