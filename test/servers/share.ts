/**
 * Whether everything is tested with everything (`npm run test:all`), or each rule once with what it depends on: what a
 * second version, or a second store, would only say again is left to the long run.
 */
export const isEverything = process.env['HOLDFAST_TEST_ALL'] === '1'
