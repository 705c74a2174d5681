import { interrupt } from './interrupt.ts'
import { killBackup } from './kill-backup.ts'
import { killRestore } from './kill-restore.ts'
import type { Suite } from './suite.ts'
import { tools } from './tools.ts'

/** By the names that the command line knows. */
export const suites = {
  tools,
  kill: (bench) => [...killBackup(bench), ...killRestore(bench)],
  interrupt,
} satisfies Record<string, Suite>
