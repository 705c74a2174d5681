import type { ColumnType, Generated } from 'kysely'
import type { JobState } from '../shared/jobs.ts'
import type { CopyState } from '../shared/snapshots-api.ts'

/*
 * The store's tables as both engines give them: times in milliseconds since 1970, JSON as text, which whoever reads
 * it parses with its schema, yes and no as 1 and 0. In SQL the names are in snake_case: `jobs.run_at`.
 */

export interface Tables {
  migrations: MigrationsTable
  organizations: OrganizationsTable
  jobs: JobsTable
  resources: ResourcesTable
  jobLogs: JobLogsTable
  jobResources: JobResourcesTable
  jobSlots: JobSlotsTable
  tokens: TokensTable
  leases: LeasesTable
  servers: ServersTable
  volumes: VolumesTable
  encryptionKeys: EncryptionKeysTable
  schedules: SchedulesTable
  firings: FiringsTable
  plans: PlansTable
  planSchedules: PlanSchedulesTable
  planVolumes: PlanVolumesTable
  planDatabases: PlanDatabasesTable
  snapshots: SnapshotsTable
  copies: CopiesTable
  scheduledRestores: ScheduledRestoresTable
  settings: SettingsTable
  idempotencyKeys: IdempotencyKeysTable
  appKey: AppKeyTable
  instanceSettings: InstanceSettingsTable
  appBackupRegistrations: AppBackupRegistrationsTable
  appBackups: AppBackupsTable
  hooks: HooksTable
  channels: ChannelsTable
  notificationRules: NotificationRulesTable
  notificationThreads: NotificationThreadsTable
  users: UsersTable
  sessions: SessionsTable
  accounts: AccountsTable
  verifications: VerificationsTable
  twoFactors: TwoFactorsTable
  passkeys: PasskeysTable
  signInFailures: SignInFailuresTable
  setup: SetupTable
  identitySecret: IdentitySecretTable
  identityProviders: IdentityProvidersTable
  roles: RolesTable
  memberships: MembershipsTable
  invitations: InvitationsTable
  auditEntries: AuditEntriesTable
  auditChain: AuditChainTable
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
  /** Of those that were merged into it. */
  mergedIds: ColumnType<string, string | undefined, string>
}

export interface JobsTable {
  id: string
  organizationId: string
  parentId: Optional<string>
  kind: string
  serverId: Optional<string>
  planId: Optional<string>
  database: Optional<string>
  snapshotId: Optional<string>
  volumeId: Optional<string>
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
  recordedState: Optional<'succeeded' | 'partial'>
  progress: Optional<Json>
  result: Optional<Json>
  error: Optional<Json>
  createdAt: number
  startedAt: Optional<number>
  finishedAt: Optional<number>
  updatedAt: number
}

interface JobLogsTable {
  jobId: string
  number: number
  lines: Json
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
  ownerId: Optional<string>
  scopes: Optional<Json>
  isInstanceAdministrator: ColumnType<number, number | undefined, number>
  networks: Optional<Json>
  expiresAt: Optional<number>
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

interface VolumesTable {
  id: string
  organizationId: string
  name: string
  kind: string
  settings: Json
  maxRunning: number
  quota: Optional<number>
  quotaAction: 'warn' | 'refuse'
  bandwidth: Optional<number>
  isReadOnly: number
  revision: number
  createdAt: number
  updatedAt: number
}

interface EncryptionKeysTable {
  id: string
  organizationId: string
  name: string
  kind: 'password' | 'recipients' | 'passphrase'
  state: 'active' | 'retired'
  material: Json
  fingerprint: Optional<string>
  revision: number
  createdAt: number
  updatedAt: number
}

interface SchedulesTable {
  id: string
  organizationId: string
  name: string
  rule: Json
  catchUpHours: number
  nextAt: Optional<number>
  since: number
  revision: number
  createdAt: number
  updatedAt: number
}

interface FiringsTable {
  schedule: string
  fireAt: number
  firedAt: number
}

interface PlansTable {
  id: string
  organizationId: string
  serverId: string
  name: string
  isEnabled: number
  settings: Json
  revision: number
  createdAt: number
  updatedAt: number
}

interface PlanSchedulesTable {
  planId: string
  scheduleId: string
}

interface PlanVolumesTable {
  planId: string
  volumeId: string
  position: number
  retention: Optional<Json>
}

interface PlanDatabasesTable {
  planId: string
  database: string
  firstSeenAt: number
  lastSeenAt: number
  lastSuccessAt: Optional<number>
  lastSnapshotId: Optional<string>
  lastRawBytes: Optional<number>
  lastStoredBytes: Optional<number>
  lastFailureAt: Optional<number>
  lastFailedJobId: Optional<string>
  lastError: Optional<Json>
}

interface SnapshotsTable {
  id: string
  organizationId: string
  serverId: Optional<string>
  serverName: string
  engine: string
  database: string
  planId: Optional<string>
  planName: Optional<string>
  jobId: Optional<string>
  takenAt: number
  finishedAt: number
  format: string
  rawBytes: number
  storedBytes: number
  sha256: string
  keyId: Optional<string>
  keyFingerprint: Optional<string>
  /** What the API and the manifest call `trigger`, which SQL keeps for itself. */
  cause: string
  releaseVersion: Optional<string>
  comment: Optional<string>
  isLocked: number
  lockedUntil: Optional<number>
  provenAt: Optional<number>
  isPartial: number
  isForeign: number
  revision: number
  manifest: Json
}

interface CopiesTable {
  snapshotId: string
  volumeId: string
  key: string
  state: CopyState
  bytes: number
  error: Optional<Json>
  checkedAt: Optional<number>
  contentCheckedAt: Optional<number>
  createdAt: number
  updatedAt: number
}

interface ScheduledRestoresTable {
  id: string
  organizationId: string
  name: string
  sourceServerId: string
  sourceDatabase: string
  targetServerId: string
  scheduleId: Optional<string>
  isEnabled: number
  settings: Json
  lastJobId: Optional<string>
  lastSnapshotId: Optional<string>
  lastSkippedAt: Optional<number>
  lastSkipReason: Optional<string>
  revision: number
  createdAt: number
  updatedAt: number
}

interface SettingsTable {
  organizationId: string
  content: Json
  revision: number
  updatedAt: number
}

interface IdempotencyKeysTable {
  tokenId: string
  key: string
  request: string
  jobId: Optional<string>
  status: Optional<number>
  headers: Optional<Json>
  body: Optional<string>
  createdAt: number
}

interface AppKeyTable {
  /** 1 */
  id: number
  keyId: string
  since: number
}

interface InstanceSettingsTable {
  /** instance */
  id: string
  content: Json
  revision: number
  updatedAt: number
}

interface AppBackupRegistrationsTable {
  id: string
  name: string
  kind: Optional<string>
  settings: Optional<Json>
  volumeId: Optional<string>
  schedules: Json
  isEnabled: number
  isManaged: number
  scheduledSince: number
  deletedAt: Optional<number>
  revision: number
  createdAt: number
  updatedAt: number
}

interface AppBackupsTable {
  id: string
  registrationId: string
  key: string
  location: string
  place: string
  cause: string
  schemaVersion: number
  state: 'running' | 'succeeded' | 'failed'
  isStored: number
  maker: string
  bytes: Optional<number>
  sha256: Optional<string>
  error: Optional<Json>
  startedAt: number
  finishedAt: Optional<number>
}

interface HooksTable {
  id: string
  organizationId: string
  planId: Optional<string>
  name: string
  around: 'backup' | 'restore'
  moment: 'before' | 'after-success' | 'after-failure' | 'after'
  kind: string
  settings: Json
  onFailure: 'ignore' | 'warn' | 'fail' | 'skip'
  timeoutSeconds: number
  isEnabled: number
  position: number
  revision: number
  createdAt: number
  updatedAt: number
}

interface ChannelsTable {
  id: string
  organizationId: string
  name: string
  kind: string
  settings: Json
  isEnabled: number
  isShared: number
  lastDeliveredAt: Optional<number>
  lastFailedAt: Optional<number>
  lastError: Optional<Json>
  revision: number
  createdAt: number
  updatedAt: number
}

interface NotificationRulesTable {
  id: string
  organizationId: string
  name: string
  isEnabled: number
  events: Json
  servers: Json
  channels: Optional<Json>
  revision: number
  createdAt: number
  updatedAt: number
}

interface NotificationThreadsTable {
  organizationId: string
  key: string
  count: number
  firstAt: number
  lastAt: number
  told: Json
}

interface UsersTable {
  id: string
  name: string
  email: string
  emailVerified: number
  image: Optional<string>
  twoFactorEnabled: ColumnType<number, number | undefined, number>
  isInstanceAdministrator: ColumnType<number, number | undefined, number>
  isDisabled: ColumnType<number, number | undefined, number>
  credentialsVersion: ColumnType<number, number | undefined, number>
  createdAt: number
  updatedAt: number
}

interface SessionsTable {
  id: string
  userId: string
  token: string
  organizationId: Optional<string>
  method: Optional<string>
  ipAddress: Optional<string>
  userAgent: Optional<string>
  expiresAt: number
  createdAt: number
  updatedAt: number
}

interface AccountsTable {
  id: string
  userId: string
  accountId: string
  providerId: string
  accessToken: Optional<string>
  refreshToken: Optional<string>
  idToken: Optional<string>
  accessTokenExpiresAt: Optional<number>
  refreshTokenExpiresAt: Optional<number>
  scope: Optional<string>
  password: Optional<string>
  createdAt: number
  updatedAt: number
}

interface VerificationsTable {
  id: string
  identifier: string
  value: string
  expiresAt: number
  createdAt: number
  updatedAt: number
}

interface TwoFactorsTable {
  id: string
  userId: string
  secret: string
  backupCodes: string
  verified: ColumnType<number, number | undefined, number>
  failedVerificationCount: ColumnType<number, number | undefined, number>
  lockedUntil: Optional<number>
}

interface PasskeysTable {
  id: string
  userId: string
  name: string
  credentialId: string
  publicKey: string
  counter: number
  transports: Json
  mayBeBackedUp: number
  isBackedUp: number
  createdAt: number
  lastUsedAt: Optional<number>
}

interface SignInFailuresTable {
  key: string
  count: number
  lastAt: number
  blockedUntil: number
}

interface SetupTable {
  /** 1 */
  id: number
  /** SHA-256, in hex. */
  hash: string
  createdAt: number
}

interface IdentitySecretTable {
  /** identity */
  id: string
  content: Json
}

interface IdentityProvidersTable {
  id: string
  name: string
  kind: string
  settings: Json
  rules: Json
  isEnabled: number
  revision: number
  createdAt: number
  updatedAt: number
}

interface RolesTable {
  id: string
  organizationId: string
  name: string
  abilities: Json
  servers: Optional<Json>
  isBuiltIn: number
  revision: number
  createdAt: number
  updatedAt: number
}

interface MembershipsTable {
  organizationId: string
  userId: string
  roleId: string
  providerId: Optional<string>
  createdAt: number
}

interface InvitationsTable {
  id: string
  organizationId: string
  email: string
  roleId: string
  hash: string
  invitedBy: Optional<string>
  expiresAt: number
  acceptedAt: Optional<number>
  createdAt: number
}

interface AuditEntriesTable {
  number: number
  id: string
  organizationId: Optional<string>
  at: number
  action: string
  outcome: string
  actor: Json
  actorId: Optional<string>
  address: Optional<string>
  target: Optional<Json>
  targetId: Optional<string>
  details: Json
  hash: string
}

interface AuditChainTable {
  /** 1 */
  id: number
  number: number
  hash: string
  goneNumber: number
  goneHash: string
}
