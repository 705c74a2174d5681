import type { ColumnType, Generated } from 'kysely'
import type { JobState } from '../shared/jobs.ts'

/*
 * The store's tables as both engines give them: times in milliseconds since 1970, JSON as text, which whoever reads
 * it parses with its schema, yes and no as 1 and 0. In SQL the names are in snake_case: `jobs.run_at`.
 */

export interface Tables {
  migrations: MigrationsTable
  organizations: OrganizationsTable
  jobs: JobsTable
  resources: ResourcesTable
  jobResources: JobResourcesTable
  jobSlots: JobSlotsTable
  tokens: TokensTable
  leases: LeasesTable
  servers: ServersTable
}

/** JSON, as text. */
type Json = string
/** Nullable, and null if it is not given. */
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>

interface MigrationsTable {
  number: number
  name: string
  appliedAt: number
}

interface OrganizationsTable {
  id: string
  name: string
  createdAt: number
}

export interface JobsTable {
  id: string
  organizationId: string
  kind: string
  key: string
  state: JobState
  priority: Generated<number>
  label: Optional<string>
  payload: Json
  runAt: number
  attempt: Generated<number>
  maxAttempts: Generated<number>
  backoff: Generated<number>
  runner: Optional<string>
  leaseUntil: Optional<number>
  cancelRequestedAt: Optional<number>
  progress: Optional<Json>
  result: Optional<Json>
  error: Optional<Json>
  createdAt: number
  startedAt: Optional<number>
  finishedAt: Optional<number>
}

interface ResourcesTable {
  name: string
  capacity: number
}

interface JobResourcesTable {
  jobId: string
  resource: string
}

interface JobSlotsTable {
  resource: string
  slot: number
  jobId: string
}

interface TokensTable {
  id: string
  organizationId: string
  name: string
  /** SHA-256 of the token, in hex. */
  hash: string
  createdAt: number
  lastUsedAt: Optional<number>
}

interface LeasesTable {
  name: string
  holder: string
  heldUntil: number
}

interface ServersTable {
  id: string
  organizationId: string
  name: string
  engine: string
  connection: Json
  labels: Json
  isProduction: number
  isProtected: number
  maxRunning: number
  revision: number
  createdAt: number
  updatedAt: number
}
