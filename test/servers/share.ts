import { describe } from 'node:test'

/**
 * Whether everything is tested with everything (`npm run test:all`), or each rule once with what it depends on: what a
 * second version, or a second store, would only say again is left to the long run.
 */
export const isEverything = process.env['HOLDFAST_TEST_ALL'] === '1'

/** A suite for the long run alone: what it goes through step by step, another share tests nearer to where it is done. */
export const describeAtLength = (isEverything ? describe : () => undefined) as typeof describe
