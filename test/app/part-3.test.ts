import { runTogether } from './together.ts'

await runTogether(3)
