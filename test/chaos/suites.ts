import { fleet } from './fleet.ts'
import { fuzz } from './fuzz.ts'
import { interrupt } from './interrupt.ts'
import { killApp } from './kill-app.ts'
import { killBackup } from './kill-backup.ts'
import { killRestore } from './kill-restore.ts'
import { matrix } from './matrix.ts'
import { queue } from './queue.ts'
import { secrets } from './secrets.ts'
import type { Suite } from './suite.ts'
import { tools } from './tools.ts'
import { volumes } from './volumes.ts'

/** By the names that the command line knows. */
export const suites = {
  tools,
  kill: (bench) => [...killBackup(bench), ...killRestore(bench)],
  app: killApp,
  fleet,
  interrupt,
  volumes,
  matrix,
  queue,
  fuzz,
  secrets,
} satisfies Record<string, Suite>
