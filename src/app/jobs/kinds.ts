import type { JobKind } from './job-kind.ts'
import { appBackup, tidyAppBackups } from '../app-backups/job.ts'
import { backup } from '../backups/backup.ts'
import { repairCopy } from '../backups/repair.ts'
import { runPlan } from '../backups/run-plan.ts'
import { runSchedule } from '../scheduler/run-schedule.ts'
import { sweepVolume } from '../backups/sweep.ts'
import { deliverNotice } from '../channels/deliver.ts'
import { cleanUp } from '../checks/clean-up.ts'
import { contentCheck } from '../checks/content-check.ts'
import { fileCheck } from '../checks/file-check.ts'
import { restore } from '../restores/restore.ts'
import { weeklyDigest } from '../overview/digest.ts'
import { tidyRestore } from '../restores/tidy.ts'
import { prune } from '../retention/prune.ts'
import { failureHooks } from '../hooks/failure-hooks.ts'
import { deletePending } from '../snapshots/deletion.ts'
import { verify } from '../snapshots/verify.ts'
import { scanVolume } from '../volumes/scan.ts'

/** Every kind of job. A new one is a file in its feature, and its name here. */
export const jobKinds: Readonly<Record<string, JobKind>> = {
  'app-backup': appBackup,
  backup,
  'clean-up': cleanUp,
  'content-check': contentCheck,
  'delete-snapshots': deletePending,
  'deliver-notice': deliverNotice,
  'file-check': fileCheck,
  prune,
  'repair-copy': repairCopy,
  restore,
  'run-hooks': failureHooks,
  'run-plan': runPlan,
  'run-schedule': runSchedule,
  'scan-volume': scanVolume,
  'sweep-volume': sweepVolume,
  'tidy-app-backups': tidyAppBackups,
  'tidy-restore': tidyRestore,
  verify,
  'weekly-digest': weeklyDigest,
}
