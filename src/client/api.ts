// Made by scripts/client-types.ts from the OpenAPI document: do not edit it.

export type Ability = {
  name: 'view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit'
  title: string
  isAboutServers: boolean
}

export type AcceptedInvitation = {
  organization: {
    id: string
    name: string
  }
  email: string
  isNewAccount: boolean
}

export type Account = {
  id: string
  name: string
  email: string
  isInstanceAdministrator: boolean
  isDisabled: boolean
  hasPassword: boolean
  /** Gives a code of an authenticator */
  hasSecondFactor: boolean
  passkeys: number
  /** How often it is signed in now */
  sessions: number
  organizations: {
    id: string
    name: string
    role: {
      id: string
      name: string
    }
  }[]
  lastSignInAt: string | null
  createdAt: string
  updatedAt: string
}

export type AccountChanges = {
  name?: string
  email?: string
  /** It cannot sign in, and what it has signed in with ends */
  isDisabled?: boolean
  isInstanceAdministrator?: boolean
}

export type AccountLosses = {
  /** The names of those that it is a member of */
  organizations: string[]
  tokens: {
    name: string
    organization: string
  }[]
  /** To whom it has sent one that is still open */
  invitations: string[]
  sessions: number
  passkeys: number
}

export type AddedEncryptionKey = {
  id: string
  name: string
  kind: 'password' | 'recipients' | 'passphrase'
  /** retired: it opens what it has encrypted, and encrypts nothing more */
  state: 'active' | 'retired'
  /** As in manifests; a passphrase has none */
  fingerprint: string | null
  recipients?: string[]
  /** How many snapshots it protects */
  snapshots: number
  createdAt: string
  updatedAt: string
  /** Only if it was made up: it is shown this once, and never again. Save it now */
  secret?: string
}

export type AppBackup = {
  id: string
  registrationId: string
  registrationName: string
  /** 2026-11-22T03-00-00Z/db_v12.db */
  key: string
  /** Where it was put, in words */
  location: string
  cause: 'manual' | 'first' | 'migration' | 'daily' | 'weekly' | 'monthly'
  schemaVersion: number
  state: 'running' | 'succeeded' | 'failed'
  bytes: number | null
  sha256: string | null
  /** Why it failed; of one that succeeded, why it could not be removed */
  error: {
    code: string
    message: string
    hint?: string
  } | null
  startedAt: string
  finishedAt: string | null
}

export type AppBackupRegistration = {
  id: string
  name: string
  /** Of the volume */
  kind: string
  kindLabel: string
  /** Null where it uses a volume */
  settings: Record<string, unknown> | null
  volumeId: string | null
  volumeName: string | null
  /** Where it is, in words; null if its settings are not valid any more */
  location: string | null
  /** A folder of this machine: localAppBackups of the settings says how many it keeps */
  isFolder: boolean
  /** So many of the newest; 0: all */
  keeps: number
  schedules: ({
    type: 'migration'
    timeZone: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone: string
  })[]
  /** The schedules in words */
  descriptions: string[]
  isEnabled: boolean
  /** The environment says what it is: it is changed there */
  isManaged: boolean
  /** Null for migrations, and by hand */
  nextRun: string | null
  lastBackup: AppBackup | null
  /** How many it keeps at present */
  backups: number
  warnings: string[]
  createdAt: string
  updatedAt: string
}

export type AppBackupRegistrationChanges = {
  name?: string
  /** A name of GET /api/v1/volume-kinds; or give volumeId */
  kind?: string
  /** Those of its kind, see GET /api/v1/volume-kinds; a relative path is one from the data directory. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  /** A volume that is there already, instead of kind and settings */
  volumeId?: string
  /** Where no time zone is given, it is the installation’s. None: only by hand */
  schedules?: ({
    type: 'migration'
    timeZone?: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  })[]
  isEnabled?: boolean
}

export type AppBackupTrial = {
  /** A name of GET /api/v1/volume-kinds; or give volumeId */
  kind?: string
  /** Those of its kind, see GET /api/v1/volume-kinds; a relative path is one from the data directory. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  /** A volume that is there already, instead of kind and settings */
  volumeId?: string
  /** The registration whose secrets the masks in the settings stand for */
  registrationId?: string
}

export type AuditActor = {
  kind: 'user' | 'token' | 'command-line' | 'system'
  id: string | null
  name: string
  /** The user whose token it is */
  owner?: {
    id: string
    name: string
  }
}

export type AuditEntry = {
  /** Without gaps, over all organizations */
  number: number
  id: string
  /** Null: the instance */
  organizationId: string | null
  at: string
  /** thing.verb, for instance server.change */
  action: string
  /** succeeded, or the code of the error */
  outcome: string
  actor: AuditActor
  /** Where the request came from */
  address: string | null
  target: AuditTarget | null
  /** before and after: the fields that differ, without any secret */
  details: Record<string, unknown>
  /** SHA-256 over the hash before it and this entry, in hex */
  hash: string
}

export type AuditTarget = {
  /** As in the action: server, plan … */
  kind: string
  id: string | null
  name: string | null
}

export type AuditVerification = {
  isIntact: boolean
  /** How many were looked at and fit */
  entries: number
  /** The number of the oldest entry; null: there is none */
  first: number | null
  from: string | null
  to: string | null
  /** The number of the last entry whose time is over; 0: none */
  pruned: number
  /** The last entry: note it elsewhere, to prove later that all before it is as it was */
  head: {
    number: number
    hash: string
  } | null
  /** The first entry that does not fit */
  fault: {
    number: number
    reason: string
  } | null
}

export type Channel = {
  name: string
  /** Those of its kind, see GET /api/v1/channel-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** A disabled channel takes nothing but tests */
  isEnabled: boolean
  /** Rules of other organizations may use it */
  isShared: boolean
  id: string
  kind: string
  /** A test counts */
  lastDeliveredAt: string | null
  /** When a delivery could not be made, if only in one of its tries */
  lastFailedAt: string | null
  /** Why it could not */
  lastError: {
    code: string
    message: string
    hint?: string
  } | null
  /** The last delivery could not be made */
  isFailing: boolean
  createdAt: string
  updatedAt: string
}

export type ChannelChanges = {
  name?: string
  /** Those of its kind, see GET /api/v1/channel-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  /** A disabled channel takes nothing but tests */
  isEnabled?: boolean
  /** Rules of other organizations may use it */
  isShared?: boolean
}

export type ChannelKind = {
  name: string
  label: string
  settings: Record<string, unknown>
}

export type ChannelTrial = {
  kind: string
  /** Those of its kind, see GET /api/v1/channel-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** The channel whose secrets the masks in the settings stand for */
  channelId?: string
}

export type CheckOrder = {
  /** Also read copies whole and compare them, those first that were not read for longest */
  contents?: boolean
  /** Of all bytes, so much is read; absent: the share of one day */
  share?: number
}

export type ConnectionOfString = {
  engine: string
  /** What it says of the settings of the engine, secrets in the clear; what it leaves out is absent */
  connection: Record<string, unknown>
  /** Which it names, if any */
  database: string | null
}

export type ConnectionString = {
  url: string
}

export type Copy = {
  volumeId: string
  volumeName: string
  key: string
  bytes: number
  state: 'stored' | 'failed' | 'missing' | 'corrupt' | 'delete_pending'
  /** Why it is not stored, or could not be deleted */
  error: {
    code: string
    message: string
    hint?: string
  } | null
  /** When it was last looked for */
  checkedAt: string | null
  /** When all its bytes were last read and compared */
  contentCheckedAt: string | null
  createdAt: string
}

export type CreatedAccount = {
  /** Null: it is made when the invitation is accepted */
  account: Account | null
  invitation: CreatedInvitation | null
}

export type CreatedInvitation = {
  id: string
  email: string
  role: {
    id: string
    name: string
  }
  /** Null: a token that is nobody’s, or somebody who has gone */
  invitedBy: {
    id: string
    name: string
    email: string
  } | null
  state: 'open' | 'expired' | 'accepted'
  expiresAt: string
  acceptedAt: string | null
  createdAt: string
  /** Where it is accepted, once; it is shown this once */
  link: string
  /** The mail server has taken it; false: pass the link on */
  mailed: boolean
  /** Why not, if a mail server is set */
  mailError: {
    code: string
    message: string
    hint?: string
  } | null
}

export type CreatedToken = {
  id: string
  name: string
  /** Null: nobody’s, as that of the command line */
  owner: {
    id: string
    name: string
    email: string
  } | null
  scopes: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[] | null
  /** Administers the instance, if its owner does */
  isInstanceAdministrator: boolean
  networks: string[] | null
  /** Null: never */
  expiresAt: string | null
  /** This request is signed with it */
  isOwn: boolean
  createdAt: string
  /** To the minute; null: never */
  lastUsedAt: string | null
  /** The token itself, which is shown this once */
  token: string
}

export type Credentials = {
  email: string
  password: string
}

export type DatabaseChoice = {
  mode: 'all'
} | {
  mode: 'selected'
  /** Names, in which * stands for anything; in paths only in the file’s name, and for anything but / */
  names: string[]
} | {
  mode: 'pattern'
  /** A regular expression that the whole name must match */
  include: string
  /** A regular expression that the whole name must match */
  exclude?: string
}

export type DatabaseMatches = {
  items: ({
    database: string
    isIncluded: boolean
    /** Why it is not included */
    why?: 'not_matched' | 'excluded'
  })[]
  /** Selected names that no database has now */
  missing: string[]
}

export type DatabaseRetention = {
  planId: string
  database: string
  /** In which days, weeks and months are counted */
  timeZone: string
  goes: {
    snapshotId: string
    takenAt: string
    volumeId: string
    volumeName: string
    key: string
    bytes: number
    /** In words */
    reasons: string[]
    /** The same reasons, which the words are made from */
    why: RetentionReason[]
    goesAt: string
    /** With it, or before it, all copies of the snapshot go */
    isLast: boolean
  }[]
  stays: {
    snapshotId: string
    takenAt: string
    volumeId: string
    volumeName: string
    key: string
    bytes: number
    /** In words */
    reasons: string[]
    /** The same reasons, which the words are made from */
    why: RetentionReason[]
  }[]
  /** Of what goes */
  bytes: number
}

export type DatabaseSnapshots = {
  database: string
  /** How many */
  snapshots: number
  /** When the newest was taken */
  newestAt: string
}

export type DatabaseStanding = {
  planId: string
  planName: string
  serverId: string
  serverName: string
  /** Null: the plan itself, while none of its databases is known */
  database: string | null
  standing: 'protected' | 'overdue' | 'failing' | 'never'
  /** When the plan asked for it first */
  firstSeenAt: string | null
  /** When the plan asked for it last */
  lastSeenAt: string | null
  lastSuccessAt: string | null
  lastFailureAt: string | null
  /** When a missing backup is an alarm; null: never */
  overdueAt: string | null
  /** When the plan runs next by itself */
  nextRunAt: string | null
  lastSnapshotId: string | null
  lastRawBytes: number | null
  lastStoredBytes: number | null
  lastFailedJobId: string | null
  lastError: {
    code: string
    message: string
    hint?: string
  } | null
  /** Sizes of its dumps in this plan: of the newest twelve snapshots, the oldest first */
  recentRawBytes: number[]
}

export type DayOfRuns = {
  day: string
  /** How many */
  runs: number
  /** All, if there are at most 4; else the first and the last */
  times: string[]
}

export type DeletedPlan = {
  /** Of the jobs that delete its snapshots */
  jobIds: string[]
  /** How many of its snapshots are not deleted: they stay, under no plan */
  keptCount: number
  /** Those, the newest first; not more than 100 */
  kept: {
    id: string
    database: string
    takenAt: string
    /** It is locked, a job reads it, or it has a copy on a volume that is only read */
    reason: string
  }[]
}

export type Deletion = {
  snapshots: ({
    id: string
    serverName: string
    database: string
    takenAt: string
    storedBytes: number
    /** No newer good one of this database would stay */
    isNewest: boolean
    /** Why it cannot be deleted, in words */
    refusal: string | null
    copies: {
      volumeId: string
      volumeName: string
      key: string
      bytes: number
    }[]
  })[]
  /** How many */
  copies: number
  /** On all volumes together */
  bytes: number
  /** Of the jobs that delete them, one for each volume */
  jobIds: string[]
}

export type DeletionOrder = {
  ids: string[]
  /** Only say what would go */
  dryRun?: boolean
  /** Also the newest good one of a database, which is else refused */
  newest?: boolean
}

/** Works without credentials until then */
export type DownloadLink = {
  url: string
  expiresAt: string
}

export type EncryptionKey = {
  id: string
  name: string
  kind: 'password' | 'recipients' | 'passphrase'
  /** retired: it opens what it has encrypted, and encrypts nothing more */
  state: 'active' | 'retired'
  /** As in manifests; a passphrase has none */
  fingerprint: string | null
  recipients?: string[]
  /** How many snapshots it protects */
  snapshots: number
  createdAt: string
  updatedAt: string
}

export type EncryptionKeyChanges = {
  name?: string
  /** retired: it opens what it has encrypted, and encrypts nothing more */
  state?: 'active' | 'retired'
}

export type EndedOtherSessions = {
  ended: number
}

export type EndedSessions = {
  sessions: number
}

export type Engine = {
  name: string
  label: string
  connection: Record<string, unknown>
  dumpOptions: Record<string, unknown>
  restoreOptions: Record<string, unknown>
}

export type ForgottenVolume = {
  copies: number
  bytes: number
  /** Those that had a copy nowhere else */
  snapshots: number
}

export type FullResource = {
  kind: 'server' | 'volume' | 'channel' | 'app-backups'
  /** Null if it is gone, and of app backups, which are made one at a time */
  name: string | null
  /** So many jobs use it */
  capacity: number
}

export type Health = {
  status: 'ok' | 'unavailable'
}

export type Hook = {
  name: string
  around: 'backup' | 'restore'
  /** before it, or behind it: after-success, after-failure (behind the last try), or after (either) */
  moment: 'before' | 'after-success' | 'after-failure' | 'after'
  /** Those of its kind, see GET /api/v1/hook-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** If the hook fails: ignore it; warn in the log; fail the job; or, only before it, skip the job, which is cancelled then */
  onFailure: 'ignore' | 'warn' | 'fail' | 'skip'
  /** A hook that takes longer is ended, and has failed */
  timeoutSeconds: number
  isEnabled: boolean
  /** They run in this order, then by name */
  position: number
  id: string
  planId: string | null
  kind: string
  createdAt: string
  updatedAt: string
}

export type HookChanges = {
  name?: string
  /** before it, or behind it: after-success, after-failure (behind the last try), or after (either) */
  moment?: 'before' | 'after-success' | 'after-failure' | 'after'
  /** Those of its kind, see GET /api/v1/hook-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  /** If the hook fails: ignore it; warn in the log; fail the job; or, only before it, skip the job, which is cancelled then */
  onFailure?: 'ignore' | 'warn' | 'fail' | 'skip'
  /** A hook that takes longer is ended, and has failed */
  timeoutSeconds?: number
  isEnabled?: boolean
  /** They run in this order, then by name */
  position?: number
}

export type HookKind = {
  name: string
  label: string
  settings: Record<string, unknown>
}

export type HookOutcome = {
  name: string
  outcome: 'succeeded' | 'failed'
  seconds: number
  /** Why it has failed */
  message?: string
}

export type HookVariable = {
  name: string
  around: 'backup' | 'restore'
  description: string
  /** When it has a value: always, after a success, after a failure, or for hooks only */
  presence: 'always' | 'success' | 'failure' | 'hook'
}

export type Identity = {
  id: string
  /** Null: it is gone */
  provider: {
    id: string
    name: string
    kind: string
  } | null
  /** What the provider calls the account */
  subject: string
  createdAt: string
  lastUsedAt: string
}

export type IdentityProvider = {
  name: string
  /** Those of its kind, see GET /api/v1/identity-provider-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  isEnabled: boolean
  /** Whoever signs in for the first time gets an account */
  autoCreate: boolean
  /** Only verified addresses of these domains may sign in; empty: all addresses */
  emailDomains: string[]
  /** What those get for whom no mapping is; null: nothing */
  defaultMembership: {
    organizationId: string
    roleId: string
  } | null
  /** Where groups or roles stand: groups, realm_access.roles; null: roles are not its matter */
  claim: string | null
  /** From values of the claim to roles; of each organization the first that fits */
  mappings: RoleMapping[]
  /** Whoever no mapping is for may not sign in, and loses what the provider gave */
  isStrict: boolean
  id: string
  kind: string
  /** What must be registered with the provider, exactly so */
  redirectUrl: string
  /** It is what OIDC_… variables say, and cannot be changed here */
  isFromEnvironment: boolean
  /** How many accounts are linked with it */
  users: number
  createdAt: string
  updatedAt: string
}

export type IdentityProviderChanges = {
  name?: string
  /** Those of its kind, see GET /api/v1/identity-provider-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  isEnabled?: boolean
  /** Whoever signs in for the first time gets an account */
  autoCreate?: boolean
  /** Only verified addresses of these domains may sign in; empty: all addresses */
  emailDomains?: string[]
  /** What those get for whom no mapping is; null: nothing */
  defaultMembership?: {
    organizationId: string
    roleId: string
  } | null
  /** Where groups or roles stand: groups, realm_access.roles; null: roles are not its matter */
  claim?: string | null
  /** From values of the claim to roles; of each organization the first that fits */
  mappings?: RoleMapping[]
  /** Whoever no mapping is for may not sign in, and loses what the provider gave */
  isStrict?: boolean
}

export type IdentityProviderKind = {
  name: string
  label: string
  /** Where its groups or roles usually stand */
  claim: string | null
  settings: Record<string, unknown>
}

export type InstanceSettings = {
  /** Run after every successful backup of one database */
  postBackupScript: string
  /** Run after every successful restore */
  postRestoreScript: string
  /** A script that takes longer is ended, with all that it has started */
  scriptTimeoutMinutes: number
  /** How many app backups each registration in a folder keeps; 0: all */
  localAppBackups: number
  /** How many app backups each other registration keeps; 0: all */
  remoteAppBackups: number
  /** How many days somebody who has signed in stays so without doing anything */
  sessionDays: number
  /** After how many days somebody has to sign in again, whatever they do; 0: never */
  longestSessionDays: number
  /** Whether who signs in with a password needs an authenticator app, too; passkeys and identity providers count as they are */
  requireSecondFactor: boolean
  /** Whether people may sign in with a password; if not, only with passkeys and identity providers */
  passwordSignIn: boolean
  /** How many days entries of the audit log are kept; 0: for ever */
  auditDays: number
  smtp?: Smtp
  /** SMTP is what SMTP_URL and MAIL_FROM say, and cannot be changed here */
  isSmtpFromEnvironment?: true
  /** localAppBackups is what HOLDFAST_APP_BACKUP_KEEP says, and cannot be changed here */
  isLocalAppBackupsFromEnvironment?: true
}

export type InstanceSettingsChanges = {
  postBackupScript?: string | null
  postRestoreScript?: string | null
  scriptTimeoutMinutes?: number | null
  localAppBackups?: number | null
  remoteAppBackups?: number | null
  sessionDays?: number | null
  longestSessionDays?: number | null
  requireSecondFactor?: boolean | null
  passwordSignIn?: boolean | null
  auditDays?: number | null
  smtp?: Record<string, unknown> | null
}

export type Invitation = {
  id: string
  email: string
  role: {
    id: string
    name: string
  }
  /** Null: a token that is nobody’s, or somebody who has gone */
  invitedBy: {
    id: string
    name: string
    email: string
  } | null
  state: 'open' | 'expired' | 'accepted'
  expiresAt: string
  acceptedAt: string | null
  createdAt: string
}

export type InvitationAnswer = {
  /** What the link carries */
  token: string
  /** Of a new account */
  name?: string
  /** Of the new account, or of the one that there is, unless that is signed in */
  password?: string
}

export type InvitationLook = {
  /** What the link carries */
  token: string
}

export type Job = {
  id: string
  /** run-plan, backup, restore, verify, prune, … */
  kind: string
  state: 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled'
  /** The run of a plan that ordered it */
  parentId: string | null
  serverId: string | null
  planId: string | null
  database: string | null
  snapshotId: string | null
  volumeId: string | null
  /** How often it was begun */
  attempt: number
  maxAttempts: number
  isCancelRequested: boolean
  /** In words, what a queued job waits for: server prod-1: 2 of 2 running */
  waitsFor: string[]
  /** The same, which the words are made from */
  waitsForResources: FullResource[]
  progress: JobProgress | null
  /** What came of it; depends on its kind */
  result: unknown
  /** Why it failed, or its last attempt; or why a hook has left it out */
  error: {
    code: string
    message: string
    hint?: string
  } | null
  createdAt: string
  /** Not before */
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  updatedAt: string
}

export type JobProgress = {
  /** When it was so */
  at: string
  /** connecting, dumping, checking, downloading, restoring, counting, hooks */
  phase: string
  /** Of the raw dump so far */
  rawBytes?: number
  /** Of the object so far */
  storedBytes?: number
  /** Of the raw dump in all; an estimate */
  expectedRawBytes?: number
}

export type KeyCheck = {
  /** instance: the key of BACKUP_ENCRYPTION_KEY, or a former one */
  keyId: string
  /** Null if only snapshots know of it */
  name: string | null
  kind: 'instance' | 'password' | 'recipients' | 'passphrase' | 'unknown'
  state: 'active' | 'retired' | 'missing'
  fingerprint: string | null
  /** Whether the app can read with it; never so for recipients, whose identity it does not have */
  isAtHand: boolean
  /** How many it protects */
  snapshots: number
  oldest: string | null
  newest: string | null
}

export type LogLine = {
  at: string
  level: 'info' | 'warning' | 'error'
  message: string
  fields?: Record<string, unknown>
}

export type Me = {
  /** Null: a token that belongs to nobody */
  user: {
    id: string
    name: string
    email: string
    hasPassword: boolean
    /** Signing in with a password asks for a code, too */
    hasSecondFactor: boolean
  } | null
  /** What the request sees belongs to it */
  organization: {
    id: string
    name: string
  }
  /** Those that one may switch to */
  organizations: {
    id: string
    name: string
  }[]
  /** The user’s in the organization; null: no member, as who only administers the instance */
  role: {
    id: string
    name: string
  } | null
  abilities: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[]
  /** The servers that all is limited to; null: no limit */
  servers: ServerLimit | null
  isInstanceAdministrator: boolean
  /** The instance demands a second factor, and until there is one nothing else can be done */
  lacksSecondFactor: boolean
}

export type MergedOrganization = {
  /** False: a dry run */
  isDone: boolean
  from: {
    id: string
    name: string
  }
  into: {
    id: string
    name: string
  }
  /** How many of each: servers, volumes, plans, snapshots, … */
  moved: Record<string, number>
  renamed: {
    what: string
    from: string
    to: string
  }[]
  /** Both had them, and they allow the same */
  unitedRoles: string[]
  /** Limited to servers in other words, so that they reach the same ones as before */
  changedRoles: {
    name: string
    organization: string
    from: ServerLimit
    to: ServerLimit
  }[]
  /** Those of the one that stays are for all: what they are in the two; null: not set */
  differentSettings: {
    name: string
    from: unknown
    into: unknown
  }[]
  /** They keep the role that they have there */
  alreadyMembers: {
    name: string
    email: string
  }[]
  /** What does not come along, in words */
  dropped: string[]
  /** Why it cannot be done now */
  obstacles: string[]
}

export type MyChanges = {
  name?: string
}

export type NewAccount = {
  email: string
  /** Needed with a password */
  name?: string
  /** Without one, an invitation is made */
  password?: string
  /** Only with a password */
  isInstanceAdministrator?: boolean
  /** Where it becomes a member; needed for an invitation */
  organizationId?: string
  /** A role of that organization */
  roleId?: string
}

export type NewAppBackupRegistration = {
  name: string
  /** A name of GET /api/v1/volume-kinds; or give volumeId */
  kind?: string
  /** Those of its kind, see GET /api/v1/volume-kinds; a relative path is one from the data directory. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  /** A volume that is there already, instead of kind and settings */
  volumeId?: string
  /** Where no time zone is given, it is the installation’s. None: only by hand */
  schedules?: ({
    type: 'migration'
    timeZone?: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  })[]
  isEnabled?: boolean
}

export type NewChannel = {
  name: string
  /** Those of its kind, see GET /api/v1/channel-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** A disabled channel takes nothing but tests */
  isEnabled?: boolean
  /** Rules of other organizations may use it */
  isShared?: boolean
  /** A name of GET /api/v1/channel-kinds */
  kind: string
}

export type NewEncryptionKey = {
  /** 7z, AES-256 */
  kind: 'password'
  name: string
  /** As 7-Zip asks for it; base64:… means the hex of what it encodes */
  password?: string
  /** Make one up; the answer shows it this once */
  generate?: boolean
} | {
  /** age: this machine can write, but not read */
  kind: 'recipients'
  name: string
  /** Public keys, age1…; any one of their identities opens the snapshots */
  recipients: string[]
} | {
  /** age */
  kind: 'passphrase'
  name: string
  passphrase?: string
  /** Make one up; the answer shows it this once */
  generate?: boolean
}

export type NewHook = {
  name: string
  around: 'backup' | 'restore'
  /** before it, or behind it: after-success, after-failure (behind the last try), or after (either) */
  moment: 'before' | 'after-success' | 'after-failure' | 'after'
  /** Those of its kind, see GET /api/v1/hook-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** If the hook fails: ignore it; warn in the log; fail the job; or, only before it, skip the job, which is cancelled then */
  onFailure?: 'ignore' | 'warn' | 'fail' | 'skip'
  /** A hook that takes longer is ended, and has failed */
  timeoutSeconds?: number
  isEnabled?: boolean
  /** They run in this order, then by name */
  position?: number
  /** A name of GET /api/v1/hook-kinds */
  kind: string
  /** Null: around every backup, or restore, of the organization */
  planId?: string | null
}

export type NewIdentity = {
  providerId: string
  to?: string
}

export type NewIdentityProvider = {
  name: string
  /** Those of its kind, see GET /api/v1/identity-provider-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  isEnabled?: boolean
  /** Whoever signs in for the first time gets an account */
  autoCreate?: boolean
  /** Only verified addresses of these domains may sign in; empty: all addresses */
  emailDomains?: string[]
  /** What those get for whom no mapping is; null: nothing */
  defaultMembership?: {
    organizationId: string
    roleId: string
  } | null
  /** Where groups or roles stand: groups, realm_access.roles; null: roles are not its matter */
  claim?: string | null
  /** From values of the claim to roles; of each organization the first that fits */
  mappings?: RoleMapping[]
  /** Whoever no mapping is for may not sign in, and loses what the provider gave */
  isStrict?: boolean
  kind: 'oidc' | 'google' | 'github' | 'gitlab' | 'keycloak' | 'authentik' | 'authelia' | 'entra'
}

export type NewInvitation = {
  email: string
  /** An id of GET /api/v1/roles */
  roleId: string
}

export type NewNotificationRule = {
  name: string
  isEnabled?: boolean
  /** Names of GET /api/v1/notification-events */
  events: ('backup.started' | 'backup.succeeded' | 'backup.partial' | 'backup.failed' | 'backup.recovered' | 'backup.overdue' | 'restore.succeeded' | 'restore.failed' | 'restore.recovered' | 'copy.missing' | 'copy.corrupt' | 'retention.failed' | 'volume.nearly-full' | 'volume.unreachable' | 'volume.recovered' | 'size.anomaly' | 'app-backup.failed' | 'digest.weekly')[]
  servers?: ServerChoice
  /** Ids; null: all channels of the organization, also those that come later */
  channels?: string[] | null
}

export type NewOrganization = {
  name: string
}

export type NewPasskey = {
  name: string
  /** toJSON() of what navigator.credentials.create gives */
  response: {
    id: string
    rawId: string
    type: 'public-key'
    response: {
      clientDataJSON: string
      attestationObject: string
      transports?: string[]
    }
    clientExtensionResults?: Record<string, unknown>
    authenticatorAttachment?: string | null
  }
}

/** What is absent here and has no default is that of the settings */
export type NewPlan = {
  databases?: DatabaseChoice
  /** Never these, whatever is chosen; * stands for anything, in paths too */
  excludedDatabases?: string[]
  /** Those of the engine, see GET /api/v1/engines: format, jobs, excludeTables, … */
  dumpOptions?: Record<string, unknown>
  /** Folder below the volume */
  path?: string
  /** Without extension */
  fileName?: string
  encryption?: PlanEncryptionInput
  retention?: {
    /** So many of the newest snapshots; 0 keeps everything */
    keepLast?: number
    /** Snapshots younger than so many days of 24 hours */
    keepDays?: number
    /** The newest snapshot of each of so many hours; empty is off */
    hourly?: number
    /** The newest snapshot of each of so many days; empty is off */
    daily?: number
    /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
    weekly?: number
    /** The newest snapshot of each of so many months; empty is off */
    monthly?: number
    /** The newest snapshot of each of so many years; empty is off */
    yearly?: number
    forever?: boolean
    /** So many of the newest snapshots stay whatever the rules say */
    minimumKept?: number
  }
  /** Starts are spread over so many minutes */
  jitterMinutes?: number
  compression?: {
    method: 'none'
  } | {
    method: 'gzip'
    level?: number
  } | {
    method: 'zstd'
    level?: number
    threads?: number
  }
  /** How often a backup is tried in all */
  tries?: number
  /** Before the second try; doubled before each further one */
  backoffSeconds?: number
  /** A backup that takes longer is ended */
  timeoutMinutes?: number
  /** A backup that moved no byte for so long is ended */
  stallMinutes?: number
  overdueMinutes?: number | null
  windowMinutes?: number | null
  bandwidth?: number | null
  label?: string | null
  serverId: string
  /** Absent: the server’s name and its first schedule’s */
  name?: string
  /** A disabled plan still runs by hand */
  isEnabled?: boolean
  /** Ids; none: by hand only */
  schedules?: string[]
  /** One dump is written to all of them at once */
  volumes: {
    id: string
    retention?: {
      /** So many of the newest snapshots; 0 keeps everything */
      keepLast?: number
      /** Snapshots younger than so many days of 24 hours */
      keepDays?: number
      /** The newest snapshot of each of so many hours; empty is off */
      hourly?: number
      /** The newest snapshot of each of so many days; empty is off */
      daily?: number
      /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
      weekly?: number
      /** The newest snapshot of each of so many months; empty is off */
      monthly?: number
      /** The newest snapshot of each of so many years; empty is off */
      yearly?: number
      forever?: boolean
      /** So many of the newest snapshots stay whatever the rules say */
      minimumKept?: number
    }
  }[]
}

export type NewRestore = {
  snapshotId: string
  /** Which copy; if absent, the best one */
  volumeId?: string
  /** Where to */
  serverId: string
  /** Absent only for what belongs to the server itself */
  database?: string
  /** new: must not exist · replace: takes its place · existing: is added to */
  mode?: 'new' | 'replace' | 'existing'
  /** The engine’s restoreOptions, see GET /api/v1/engines: content, jobs, owner, … */
  options?: Record<string, unknown>
  /** Only these */
  tables?: string[]
  /** End other people’s sessions on the database that is replaced */
  endSessions?: boolean
  /** With replace: back the database up before it is replaced */
  safetySnapshot?: boolean
  /** SQL that runs in the restored database before it takes its name, to mask personal data for instance. If it fails, so does the restore */
  runAfter?: string
  keys?: RestoreKeys
  /** The name of the database, for a file its path or its name; wanted where one of a server in production is changed */
  confirmation?: string
}

export type NewRole = {
  name: string
  abilities: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[]
  /** Null: all servers */
  servers?: ServerLimit | null
}

export type NewSchedule = {
  name: string
  rule: {
    type: 'migration'
    timeZone?: string
  } | {
    type: 'hourly'
    /** Hours, counted anew from each midnight: every 5 hours means 0, 5, 10, 15 and 20 o’clock */
    every: number
    minute?: number
    timeZone?: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'cron'
    /** Minute, hour, day of the month, month, weekday */
    expression: string
    timeZone?: string
  }
  /** A run that was missed is caught up if it is younger; 0: never */
  catchUpHours?: number
}

export type NewScheduledRestore = {
  name: string
  sourceServerId: string
  sourceDatabase: string
  targetServerId: string
  targetDatabase: string
  /** A disabled one still runs by hand */
  isEnabled?: boolean
  /** new: must not exist · replace: takes its place · existing: is added to */
  mode?: 'new' | 'replace' | 'existing'
  /** The engine’s restoreOptions, see GET /api/v1/engines: content, jobs, owner, … */
  options?: Record<string, unknown>
  /** End other people’s sessions on the database that is replaced */
  endSessions?: boolean
  /** With replace: back the database up before it is replaced */
  safetySnapshot?: boolean
  /** A snapshot that is older is not restored */
  newestWithinHours?: number
  /** The snapshot that was restored last is not restored again */
  skipUnchanged?: boolean
  planId?: string | null
  scheduleId?: string | null
  /** Only these */
  tables?: string[]
  runAfter?: string | null
  /** The name of the database, for a file its path or its name; wanted where one of a server in production is changed */
  confirmation?: string
}

export type NewServer = {
  name: string
  /** The settings of the engine, see GET /api/v1/engines. A secret that equals its mask stays */
  connection: Record<string, unknown>
  /** To find and group servers by */
  labels?: Record<string, string>
  /** A restore that replaces a database asks for its name */
  isProduction?: boolean
  /** Nothing may be restored into it */
  isProtected?: boolean
  /** How many jobs may run on it at once */
  maxRunning?: number
  engine: string
}

export type NewToken = {
  name: string
  /** What it may do; ["view"] only reads. Null, or absent: all that its owner may */
  scopes?: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[] | null
  /** Administers the instance, if its owner does */
  isInstanceAdministrator?: boolean
  /** From where it may be used; null: everywhere */
  networks?: string[] | null
  /** Null: never */
  expiresAt?: string | null
}

export type NewUser = {
  /** Of somebody who has an account; others are invited */
  email: string
  /** An id of GET /api/v1/roles */
  roleId: string
}

export type NewVolume = {
  name: string
  /** Those of its kind, see GET /api/v1/volume-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** How many bytes of copies it may hold; null: no limit */
  quota?: number | null
  /** What happens at the quota: backups say so, or are not written to it */
  quotaAction?: 'warn' | 'refuse'
  /** Bytes per second to and from it, of one node; null: no limit */
  bandwidth?: number | null
  /** How many jobs may use it at once */
  maxRunning?: number
  /** For imports: nothing on it is changed */
  isReadOnly?: boolean
  /** A name of GET /api/v1/volume-kinds */
  kind: string
}

export type NotificationEvent = {
  name: 'backup.started' | 'backup.succeeded' | 'backup.partial' | 'backup.failed' | 'backup.recovered' | 'backup.overdue' | 'restore.succeeded' | 'restore.failed' | 'restore.recovered' | 'copy.missing' | 'copy.corrupt' | 'retention.failed' | 'volume.nearly-full' | 'volume.unreachable' | 'volume.recovered' | 'size.anomaly' | 'app-backup.failed' | 'digest.weekly'
  description: string
  severity: 'started' | 'success' | 'recovery' | 'warning' | 'failure' | 'info'
  /** Whether the rule that every organization begins with has it */
  isDefault: boolean
}

export type NotificationRule = {
  name: string
  isEnabled: boolean
  /** Names of GET /api/v1/notification-events */
  events: ('backup.started' | 'backup.succeeded' | 'backup.partial' | 'backup.failed' | 'backup.recovered' | 'backup.overdue' | 'restore.succeeded' | 'restore.failed' | 'restore.recovered' | 'copy.missing' | 'copy.corrupt' | 'retention.failed' | 'volume.nearly-full' | 'volume.unreachable' | 'volume.recovered' | 'size.anomaly' | 'app-backup.failed' | 'digest.weekly')[]
  servers: ServerChoice
  /** Ids; null: all channels of the organization, also those that come later */
  channels: string[] | null
  id: string
  createdAt: string
  updatedAt: string
}

export type NotificationRuleChanges = {
  name?: string
  isEnabled?: boolean
  /** Names of GET /api/v1/notification-events */
  events?: ('backup.started' | 'backup.succeeded' | 'backup.partial' | 'backup.failed' | 'backup.recovered' | 'backup.overdue' | 'restore.succeeded' | 'restore.failed' | 'restore.recovered' | 'copy.missing' | 'copy.corrupt' | 'retention.failed' | 'volume.nearly-full' | 'volume.unreachable' | 'volume.recovered' | 'size.anomaly' | 'app-backup.failed' | 'digest.weekly')[]
  servers?: ServerChoice
  /** Ids; null: all channels of the organization, also those that come later */
  channels?: string[] | null
}

export type Organization = {
  id: string
  name: string
  members: number
  servers: number
  createdAt: string
}

export type OrganizationChanges = {
  name?: string
}

export type OrganizationChoice = {
  id: string
}

export type OrganizationLosses = {
  organization: {
    id: string
    name: string
  }
  servers: string[]
  plans: string[]
  schedules: string[]
  scheduledRestores: string[]
  /** They are forgotten, with their copies; every object stays where it is */
  volumes: ({
    name: string
    /** Where its copies stay */
    location: string | null
    copies: number
    bytes: number
  })[]
  snapshots: number
  /** What copies are encrypted with cannot be read without them */
  keys: string[]
  channels: string[]
  notificationRules: string[]
  hooks: string[]
  roles: string[]
  members: number
  /** Those who would be in no organization any more; their accounts stay */
  membersWithout: {
    name: string
    email: string
  }[]
  tokens: string[]
  /** To whom those that are open were sent */
  invitations: string[]
  /** In its history, with their logs */
  jobs: number
  runningJobs: number
  /** What nobody can make up for afterwards */
  warnings: string[]
  /** Why it cannot be deleted now */
  obstacles: string[]
}

export type OrganizationMerge = {
  /** The id of the organization that stays */
  into: string
  /** The name of the one that goes; not needed for a dry run */
  confirmation?: string
  /** Only say what would happen */
  dryRun?: boolean
}

export type OrganizationRole = {
  id: string
  name: string
}

export type Overview = {
  /** Of the chosen server or plan; whatever standing is asked for */
  counts: {
    protected: number
    overdue: number
    failing: number
    never: number
  }
  items: DatabaseStanding[]
  /** Null on the last page */
  nextCursor: string | null
  /** What else needs attention, the worst first, whichever databases are asked for; what is of the whole instance only for its administrators */
  troubles: Trouble[]
  /** The schedules of enabled plans that run next */
  nextRuns: {
    at: string
    scheduleId: string
    scheduleName: string
    plans: number
  }[]
  /** Jobs that run now: how many, and the newest */
  running: {
    count: number
    jobs: ({
      id: string
      kind: string
      serverId: string | null
      planId: string | null
      database: string | null
      startedAt: string | null
      progress: JobProgress | null
    })[]
  }
}

export type OverviewHistory = {
  /** Every day in the display time zone, the oldest first, with the backups of databases that ended on it; those that were cancelled, or left out by a hook, are not counted; a run that failed before it knew its databases counts as one */
  days: {
    date: string
    /** It ends where the next day starts */
    startsAt: string
    succeeded: number
    partial: number
    failed: number
  }[]
  /** The share of them all that succeeded, from 0 to 1; null: there was none */
  successRate: number | null
  /** Bytes of the copies that each volume holds now, from the day on from which the catalogue knows them. What was deleted since is not known any more, and missing on the days before, too */
  storedBytes: {
    volumeId: string
    name: string
    /** At the end of each of the days */
    bytes: number[]
  }[]
}

export type Passkey = {
  id: string
  name: string
  /** How it is reached: internal, hybrid, usb, nfc, ble */
  transports: string[]
  /** It may be on several devices, as those that an account synchronises */
  mayBeBackedUp: boolean
  /** It is not lost with the device */
  isBackedUp: boolean
  createdAt: string
  lastUsedAt: string | null
}

export type PasskeyChanges = {
  name: string
}

/** For parseCreationOptionsFromJSON of WebAuthn */
export type PasskeyCreationOptions = Record<string, unknown>

/** For parseRequestOptionsFromJSON of WebAuthn */
export type PasskeyRequestOptions = Record<string, unknown>

export type PasskeySignIn = {
  /** toJSON() of what navigator.credentials.get gives */
  response: {
    id: string
    rawId: string
    type: 'public-key'
    response: {
      clientDataJSON: string
      authenticatorData: string
      signature: string
      userHandle?: string | null
    }
    clientExtensionResults?: Record<string, unknown>
    authenticatorAttachment?: string | null
  }
}

export type PasswordChange = {
  current: string
  /** At least 12 characters, and none that others would guess */
  new: string
}

export type PasswordConfirmation = {
  password: string
}

export type PasswordResetConfirmation = {
  token: string
  /** At least 12 characters, and none that others would guess */
  password: string
}

export type PasswordReset = {
  email: string
}

export type Plan = {
  databases: DatabaseChoice
  /** Never these, whatever is chosen; * stands for anything, in paths too */
  excludedDatabases: string[]
  /** Those of the engine, see GET /api/v1/engines: format, jobs, excludeTables, … */
  dumpOptions: Record<string, unknown>
  /** Folder below the volume */
  path: string
  /** Without extension */
  fileName: string
  encryption: PlanEncryption
  retention: {
    /** So many of the newest snapshots; 0 keeps everything */
    keepLast?: number
    /** Snapshots younger than so many days of 24 hours */
    keepDays?: number
    /** The newest snapshot of each of so many hours; empty is off */
    hourly?: number
    /** The newest snapshot of each of so many days; empty is off */
    daily?: number
    /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
    weekly?: number
    /** The newest snapshot of each of so many months; empty is off */
    monthly?: number
    /** The newest snapshot of each of so many years; empty is off */
    yearly?: number
    forever?: boolean
    /** So many of the newest snapshots stay whatever the rules say */
    minimumKept: number
  }
  /** Starts are spread over so many minutes */
  jitterMinutes: number
  compression: {
    method: 'none'
  } | {
    method: 'gzip'
    level: number
  } | {
    method: 'zstd'
    level: number
    threads: number
  }
  /** How often a backup is tried in all */
  tries: number
  /** Before the second try; doubled before each further one */
  backoffSeconds: number
  /** A backup that takes longer is ended */
  timeoutMinutes: number
  /** A backup that moved no byte for so long is ended */
  stallMinutes: number
  /** When a missing backup is an alarm; absent: its schedule’s interval and two hours */
  overdueMinutes?: number
  /** A backup that could not start so long after its time is left out */
  windowMinutes?: number
  /** Bytes per second, at most */
  bandwidth?: number
  /** Only workers with this label run it */
  label?: string
  name: string
  /** A disabled plan still runs by hand */
  isEnabled: boolean
  /** Ids; none: by hand only */
  schedules: string[]
  /** One dump is written to all of them at once */
  volumes: {
    id: string
    retention?: {
      /** So many of the newest snapshots; 0 keeps everything */
      keepLast?: number
      /** Snapshots younger than so many days of 24 hours */
      keepDays?: number
      /** The newest snapshot of each of so many hours; empty is off */
      hourly?: number
      /** The newest snapshot of each of so many days; empty is off */
      daily?: number
      /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
      weekly?: number
      /** The newest snapshot of each of so many months; empty is off */
      monthly?: number
      /** The newest snapshot of each of so many years; empty is off */
      yearly?: number
      forever?: boolean
      /** So many of the newest snapshots stay whatever the rules say */
      minimumKept: number
    }
  }[]
  id: string
  serverId: string
  createdAt: string
  updatedAt: string
}

export type PlanChanges = {
  databases?: DatabaseChoice
  /** Never these, whatever is chosen; * stands for anything, in paths too */
  excludedDatabases?: string[]
  /** Those of the engine, see GET /api/v1/engines: format, jobs, excludeTables, … */
  dumpOptions?: Record<string, unknown>
  /** Folder below the volume */
  path?: string
  /** Without extension */
  fileName?: string
  encryption?: PlanEncryptionInput
  retention?: {
    /** So many of the newest snapshots; 0 keeps everything */
    keepLast?: number
    /** Snapshots younger than so many days of 24 hours */
    keepDays?: number
    /** The newest snapshot of each of so many hours; empty is off */
    hourly?: number
    /** The newest snapshot of each of so many days; empty is off */
    daily?: number
    /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
    weekly?: number
    /** The newest snapshot of each of so many months; empty is off */
    monthly?: number
    /** The newest snapshot of each of so many years; empty is off */
    yearly?: number
    forever?: boolean
    /** So many of the newest snapshots stay whatever the rules say */
    minimumKept?: number
  }
  /** Starts are spread over so many minutes */
  jitterMinutes?: number
  name?: string
  /** A disabled plan still runs by hand */
  isEnabled?: boolean
  /** Ids; none: by hand only */
  schedules?: string[]
  /** One dump is written to all of them at once */
  volumes?: {
    id: string
    retention?: {
      /** So many of the newest snapshots; 0 keeps everything */
      keepLast?: number
      /** Snapshots younger than so many days of 24 hours */
      keepDays?: number
      /** The newest snapshot of each of so many hours; empty is off */
      hourly?: number
      /** The newest snapshot of each of so many days; empty is off */
      daily?: number
      /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
      weekly?: number
      /** The newest snapshot of each of so many months; empty is off */
      monthly?: number
      /** The newest snapshot of each of so many years; empty is off */
      yearly?: number
      forever?: boolean
      /** So many of the newest snapshots stay whatever the rules say */
      minimumKept?: number
    }
  }[]
  compression?: {
    method: 'none'
  } | {
    method: 'gzip'
    level?: number
  } | {
    method: 'zstd'
    level?: number
    threads?: number
  }
  /** How often a backup is tried in all */
  tries?: number
  /** Before the second try; doubled before each further one */
  backoffSeconds?: number
  /** A backup that takes longer is ended */
  timeoutMinutes?: number
  /** A backup that moved no byte for so long is ended */
  stallMinutes?: number
  overdueMinutes?: number | null
  windowMinutes?: number | null
  bandwidth?: number | null
  label?: string | null
}

export type PlanEncryption = {
  method: 'none'
} | {
  method: '7z'
  keyId: string
} | {
  method: 'age'
  keyId: string
}

export type PlanEncryptionInput = {
  method: 'none'
} | {
  method: '7z'
  keyId?: string
} | {
  method: 'age'
  keyId: string
}

export type PlanLosses = {
  snapshots: number
  /** That lie on volumes */
  copies: number
  bytes: number
  /** When the newest of them was taken */
  newest: string | null
  /** The same for each database of which snapshots go */
  databases: {
    database: string
    snapshots: number
    /** That lie on volumes */
    copies: number
    bytes: number
    newest: string
  }[]
  /** How many of its snapshots are not deleted: they stay, under no plan */
  keptCount: number
  /** Those, the newest first; not more than 100 */
  kept: {
    id: string
    database: string
    takenAt: string
    /** It is locked, a job reads it, or it has a copy on a volume that is only read */
    reason: string
  }[]
  /** Names; while there are any, it cannot be deleted */
  scheduledRestores: string[]
  /** Likewise */
  runningBackups: number
}

export type PlanPreview = {
  serverId: string
  databases?: DatabaseChoice
  /** Never these, whatever is chosen; * stands for anything, in paths too */
  excludedDatabases?: string[]
}

export type PlanRun = {
  state: 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled'
  run: Job
  backups: Job[]
}

export type Problem = {
  /** urn:holdfast:error: and the code */
  type: string
  /** One sentence for a person */
  title: string
  status: number
  code: 'invalid_input' | 'tool_option_refused' | 'unsupported' | 'configuration_invalid' | 'not_signed_in' | 'sign_in_failed' | 'setup_closed' | 'organization_changed' | 'forbidden' | 'second_factor_required' | 'sign_in_expired' | 'account_unknown' | 'email_not_verified' | 'no_role' | 'identity_taken' | 'last_way_to_sign_in' | 'passkey_refused' | 'provider_unreachable' | 'provider_refused' | 'app_unreachable' | 'not_found' | 'name_taken' | 'place_taken' | 'in_use' | 'last_administrator' | 'changed_meanwhile' | 'too_many_requests' | 'request_in_progress' | 'idempotency_key_reused' | 'cancelled' | 'database_unreachable' | 'authentication_failed' | 'tls_failed' | 'permission_denied' | 'database_not_found' | 'database_exists' | 'database_in_use' | 'database_corrupt' | 'database_error' | 'nothing_matched' | 'tool_missing' | 'tool_failed' | 'tool_stalled' | 'dump_incomplete' | 'volume_unreachable' | 'volume_refused' | 'volume_read_only' | 'volume_full' | 'volume_corrupted' | 'host_key_unknown' | 'host_key_changed' | 'no_copy_stored' | 'object_not_found' | 'copies_kept' | 'snapshots_kept' | 'copies_not_found' | 'object_exists' | 'snapshot_not_found' | 'snapshot_protected' | 'snapshot_deleting' | 'range_not_satisfiable' | 'manifest_invalid' | 'checksum_mismatch' | 'address_refused' | 'channel_unreachable' | 'channel_refused' | 'key_missing' | 'key_wrong' | 'decryption_failed' | 'decompression_failed' | 'store_unavailable' | 'store_in_use' | 'store_newer' | 'store_older' | 'audit_failed' | 'audit_broken' | 'app_backup_failed' | 'runner_lost' | 'lease_lost' | 'job_interrupted' | 'job_timed_out' | 'job_too_late' | 'quota_reached' | 'hook_failed' | 'hook_skipped' | 'run_failed' | 'run_partial' | 'target_protected' | 'confirmation_needed' | 'restore_skipped' | 'sql_failed' | 'restore_mismatch' | 'disk_too_small' | 'internal'
  /** What can be done next */
  hint?: string
  /** Whether the same request can succeed later */
  retryable: boolean
  /** What is wrong with which field; nested ones like times.0 */
  errors?: {
    field: string
    message: string
  }[]
}

export type RecoveryCodes = {
  /** Each signs in once in the place of a code; shown this once */
  recoveryCodes: string[]
}

export type Restore = {
  id: string
  state: 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled'
  serverId: string | null
  database: string | null
  snapshotId: string | null
  volumeId: string | null
  /** How often it was begun */
  attempt: number
  maxAttempts: number
  isCancelRequested: boolean
  /** In words, what a queued job waits for: server prod-1: 2 of 2 running */
  waitsFor: string[]
  /** The same, which the words are made from */
  waitsForResources: FullResource[]
  progress: JobProgress | null
  /** Why it failed, or its last attempt; or why a hook has left it out */
  error: {
    code: string
    message: string
    hint?: string
  } | null
  createdAt: string
  /** Not before */
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  updatedAt: string
  /** new: must not exist · replace: takes its place · existing: is added to */
  mode: 'new' | 'replace' | 'existing'
  /** The engine’s restoreOptions, see GET /api/v1/engines: content, jobs, owner, … */
  options: Record<string, unknown>
  /** End other people’s sessions on the database that is replaced */
  endSessions: boolean
  /** With replace: back the database up before it is replaced */
  safetySnapshot: boolean
  runAfter: string | null
  scheduledRestoreId: string | null
  /** The restore that it takes back */
  undoes: string | null
  /** What was there before, also if the restore has failed */
  safetySnapshotId: string | null
  result: RestoreResult | null
  /** What ran around it, also if that has stopped it */
  hooks: HookOutcome[]
}

export type RestoreCheck = {
  isPossible: boolean
  /** Each of them refuses the restore */
  problems: {
    code: string
    message: string
    hint?: string
    field?: string
  }[]
  warnings: string[]
  /** The name of the database must be sent with it */
  needsConfirmation: boolean
  steps: TestStep[]
  snapshot: {
    id: string
    database: string
    serverName: string
    engine: string
    /** Of the server that was backed up */
    version: string
    takenAt: string
    /** Of the dump, which is what will be loaded */
    rawBytes: number
    /** Of the object, which is what will be downloaded */
    storedBytes: number
    /** Whose rows are known */
    tables: number | null
    rows: number | null
  }
  copy: {
    volumeId: string
    volumeName: string
    key: string
    bytes: number
  } | null
  target: {
    serverId: string
    serverName: string
    database: string | null
    /** Null if it could not be asked */
    exists: boolean | null
    version: string | null
  }
  /** How long it may take, from the last restore of this database, or from its size */
  estimate: {
    seconds: number
    basis: 'last restore' | 'size'
  }
}

export type RestoreKeys = {
  /** AGE-SECRET-KEY-1… */
  ageIdentity?: string
  passphrase?: string
}

export type RestoreResult = {
  database: string | null
  /** What was counted, and is as in the snapshot; null where nothing is to be compared */
  rows: {
    tables: number
    rows: number
  } | null
  /** By phase */
  seconds: Record<string, number>
  /** Of the dump */
  rawBytes: number
  /** What was there before */
  safetySnapshotId: string | null
}

export type RetentionReason = {
  rule: 'newest'
} | {
  rule: 'proven'
} | {
  rule: 'minimum'
  count: number
} | {
  rule: 'locked'
  until?: string
} | {
  rule: 'inUse'
} | {
  rule: 'objectLock'
  until: string
} | {
  rule: 'future'
  until: string
} | {
  rule: 'last'
  count: number
} | {
  rule: 'days'
  days: number
  until: string
} | {
  rule: 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'
  period: string
} | {
  rule: 'forever'
} | {
  rule: 'readOnly'
} | {
  rule: 'failed'
} | {
  rule: 'notLast'
  count: number
} | {
  rule: 'tooOld'
  days: number
} | {
  rule: 'replaced'
  tier: 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'
  period: string
} | {
  rule: 'outlived'
  tier: 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'
  period: string
  count: number
}

export type RetentionTrial = {
  retention: {
    /** So many of the newest snapshots; 0 keeps everything */
    keepLast?: number
    /** Snapshots younger than so many days of 24 hours */
    keepDays?: number
    /** The newest snapshot of each of so many hours; empty is off */
    hourly?: number
    /** The newest snapshot of each of so many days; empty is off */
    daily?: number
    /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
    weekly?: number
    /** The newest snapshot of each of so many months; empty is off */
    monthly?: number
    /** The newest snapshot of each of so many years; empty is off */
    yearly?: number
    forever?: boolean
    /** So many of the newest snapshots stay whatever the rules say */
    minimumKept?: number
  }
  /** With a policy of their own; absent: those that have one now */
  volumes?: {
    id: string
    retention: {
      /** So many of the newest snapshots; 0 keeps everything */
      keepLast?: number
      /** Snapshots younger than so many days of 24 hours */
      keepDays?: number
      /** The newest snapshot of each of so many hours; empty is off */
      hourly?: number
      /** The newest snapshot of each of so many days; empty is off */
      daily?: number
      /** The newest snapshot of each of so many weeks, Monday to Sunday; empty is off */
      weekly?: number
      /** The newest snapshot of each of so many months; empty is off */
      monthly?: number
      /** The newest snapshot of each of so many years; empty is off */
      yearly?: number
      forever?: boolean
      /** So many of the newest snapshots stay whatever the rules say */
      minimumKept?: number
    }
  }[]
  /** Its schedules: days are counted in the time zone of the first; absent: those that it has now */
  schedules?: string[]
  database?: string
  /** What goes until then; absent: what goes now */
  until?: string
  /** Of what goes, only what does not go as the plan is saved; and only databases of which something does */
  onlyMore?: boolean
}

export type Role = {
  id: string
  name: string
  abilities: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[]
  /** Null: all servers */
  servers: ServerLimit | null
  /** It came with the organization: it can be changed, and not deleted */
  isBuiltIn: boolean
  /** How many users have it */
  members: number
  /** How many open invitations give it */
  invitations: number
  createdAt: string
  updatedAt: string
}

export type RoleChanges = {
  name?: string
  abilities?: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[]
  /** Null: all servers */
  servers?: ServerLimit | null
}

export type RoleMapping = {
  /** What the claim is, or has among others */
  value: string
  organizationId: string
  roleId: string
}

export type RuleTrial = {
  rule: {
    type: 'migration'
    timeZone?: string
  } | {
    type: 'hourly'
    /** Hours, counted anew from each midnight: every 5 hours means 0, 5, 10, 15 and 20 o’clock */
    every: number
    minute?: number
    timeZone?: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'cron'
    /** Minute, hour, day of the month, month, weekday */
    expression: string
    timeZone?: string
  }
  /** Runs from then on; absent, or past: from now on */
  from?: string
  /** All runs until then, 200 at most; absent: the next five */
  until?: string
  /** Counts the runs of each day of this time zone, until `until`, 62 days at most */
  daysIn?: string
}

export type RunOrder = {
  /** migration: a release is about to change the database */
  trigger?: 'manual' | 'migration'
  /** Of the release; {version} in path and file name */
  version?: string
  comment?: string
  /** Only these of the plan’s */
  databases?: string[]
  /** Answer when all is over: 200 only if every database is complete on every volume */
  wait?: boolean
}

export type Schedule = {
  /** The rule in words */
  description: string
  /** What the words are made from */
  meaning: ScheduleMeaning
  /** The next five, unless others were asked for; none for migration */
  nextRuns: string[]
  name: string
  rule: {
    type: 'migration'
    timeZone: string
  } | {
    type: 'hourly'
    /** Hours, counted anew from each midnight: every 5 hours means 0, 5, 10, 15 and 20 o’clock */
    every: number
    minute: number
    timeZone: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone: string
  } | {
    type: 'cron'
    /** Minute, hour, day of the month, month, weekday */
    expression: string
    timeZone: string
  }
  /** A run that was missed is caught up if it is younger; 0: never */
  catchUpHours: number
  id: string
  /** How many; while there are any, it cannot be deleted */
  usedBy: {
    plans: number
    scheduledRestores: number
  }
  createdAt: string
  updatedAt: string
}

export type ScheduleChanges = {
  name?: string
  rule?: {
    type: 'migration'
    timeZone?: string
  } | {
    type: 'hourly'
    /** Hours, counted anew from each midnight: every 5 hours means 0, 5, 10, 15 and 20 o’clock */
    every: number
    minute?: number
    timeZone?: string
  } | {
    type: 'daily'
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'weekly'
    weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'monthly'
    /** A day that a month does not have falls on its last day, so 31 is always the last day */
    days: number[]
    /** HH:MM, 24 hours */
    times: string[]
    timeZone?: string
  } | {
    type: 'cron'
    /** Minute, hour, day of the month, month, weekday */
    expression: string
    timeZone?: string
  }
  /** A run that was missed is caught up if it is younger; 0: never */
  catchUpHours?: number
}

export type ScheduleMeaning = {
  type: 'migration'
  timeZone: string
} | {
  type: 'hourly'
  /** Hours, counted anew from each midnight: every 5 hours means 0, 5, 10, 15 and 20 o’clock */
  every: number
  minute: number
  timeZone: string
} | {
  type: 'daily'
  /** HH:MM, 24 hours */
  times: string[]
  timeZone: string
} | {
  type: 'weekly'
  weekdays: ('monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday')[]
  /** HH:MM, 24 hours */
  times: string[]
  timeZone: string
} | {
  type: 'monthly'
  /** A day that a month does not have falls on its last day, so 31 is always the last day */
  days: number[]
  /** HH:MM, 24 hours */
  times: string[]
  timeZone: string
} | {
  type: 'cron'
  minutes: number[]
  hours: number[]
  months: number[]
  /** Of the month; null if every day will do */
  days: number[] | null
  /** 0 is Sunday; null if every day will do */
  weekdays: number[] | null
  timeZone: string
}

export type SchedulePreview = {
  /** The rule in words */
  description: string
  /** What the words are made from */
  meaning: ScheduleMeaning
  /** The next five, unless others were asked for; none for migration */
  nextRuns: string[]
  /** Those with any, if `daysIn` was given */
  days?: DayOfRuns[]
}

export type ScheduledRestore = {
  name: string
  sourceServerId: string
  sourceDatabase: string
  targetServerId: string
  targetDatabase: string
  /** A disabled one still runs by hand */
  isEnabled: boolean
  /** new: must not exist · replace: takes its place · existing: is added to */
  mode: 'new' | 'replace' | 'existing'
  /** The engine’s restoreOptions, see GET /api/v1/engines: content, jobs, owner, … */
  options: Record<string, unknown>
  /** End other people’s sessions on the database that is replaced */
  endSessions: boolean
  /** With replace: back the database up before it is replaced */
  safetySnapshot: boolean
  /** A snapshot that is older is not restored */
  newestWithinHours: number
  /** The snapshot that was restored last is not restored again */
  skipUnchanged: boolean
  id: string
  planId: string | null
  scheduleId: string | null
  runAfter: string | null
  lastJobId: string | null
  /** What was restored last */
  lastSnapshotId: string | null
  lastSkippedAt: string | null
  /** In a sentence */
  lastSkipReason: string | null
  /** The same, which the sentence is made from */
  lastSkip: ScheduledRestoreSkip | null
  createdAt: string
  updatedAt: string
}

export type ScheduledRestoreChanges = {
  name?: string
  sourceServerId?: string
  sourceDatabase?: string
  targetServerId?: string
  targetDatabase?: string
  /** A disabled one still runs by hand */
  isEnabled?: boolean
  /** new: must not exist · replace: takes its place · existing: is added to */
  mode?: 'new' | 'replace' | 'existing'
  /** The engine’s restoreOptions, see GET /api/v1/engines: content, jobs, owner, … */
  options?: Record<string, unknown>
  /** End other people’s sessions on the database that is replaced */
  endSessions?: boolean
  /** With replace: back the database up before it is replaced */
  safetySnapshot?: boolean
  /** A snapshot that is older is not restored */
  newestWithinHours?: number
  /** The snapshot that was restored last is not restored again */
  skipUnchanged?: boolean
  planId?: string | null
  scheduleId?: string | null
  runAfter?: string | null
  /** The name of the database, for a file its path or its name; wanted where one of a server in production is changed */
  confirmation?: string
}

export type ScheduledRestoreSkip = {
  why: 'deleted'
} | {
  why: 'disabled'
} | {
  why: 'underWay'
  database: string
} | {
  why: 'noSnapshot'
  database: string
  isOfPlan: boolean
} | {
  why: 'tooOld'
  takenAt: string
  hours: number
} | {
  why: 'restoredBefore'
  takenAt: string
} | {
  why: 'refused'
  message: string
}

export type SecondFactor = {
  code: string
} | {
  recoveryCode: string
}

export type SecondFactorState = {
  isEnabled: boolean
  /** How many have not been used */
  recoveryCodesLeft: number
}

export type Server = {
  name: string
  /** The settings of the engine, see GET /api/v1/engines. A secret that equals its mask stays */
  connection: Record<string, unknown>
  /** To find and group servers by */
  labels: Record<string, string>
  /** A restore that replaces a database asks for its name */
  isProduction: boolean
  /** Nothing may be restored into it */
  isProtected: boolean
  /** How many jobs may run on it at once */
  maxRunning: number
  id: string
  engine: string
  createdAt: string
  updatedAt: string
}

export type ServerChanges = {
  name?: string
  /** The settings of the engine, see GET /api/v1/engines. A secret that equals its mask stays */
  connection?: Record<string, unknown>
  /** To find and group servers by */
  labels?: Record<string, string>
  /** A restore that replaces a database asks for its name */
  isProduction?: boolean
  /** Nothing may be restored into it */
  isProtected?: boolean
  /** How many jobs may run on it at once */
  maxRunning?: number
}

export type ServerChoice = {
  all: true
} | {
  ids: string[]
} | {
  /** The servers that have all of these labels */
  labels: Record<string, string>
}

export type ServerConnection = {
  /** It answered, and let the app sign in */
  isReachable: boolean
  /** How long that took, or was tried */
  milliseconds: number
  version: string | null
  /** Why it is not reachable */
  error: {
    code: string
    message: string
    hint?: string
  } | null
  /** At most half a minute ago */
  checkedAt: string
}

export type ServerLimit = {
  /** Patterns of names, as “team-a-*”; ? is any one character */
  names?: string[]
  labels?: Record<string, string>
}

export type ServerTrial = {
  /** A name of GET /api/v1/engines */
  engine: string
  /** The settings of the engine, see GET /api/v1/engines. A secret that equals its mask stays */
  connection: Record<string, unknown>
  /** The server whose secrets the masks in the settings stand for */
  serverId?: string
}

export type Session = {
  id: string
  /** This request is signed with it */
  isCurrent: boolean
  /** password, passkey, link, or oidc:<provider> */
  method: string | null
  /** Where somebody has signed in from */
  address: string | null
  userAgent: string | null
  createdAt: string
  /** To the hour */
  lastUsedAt: string
  /** If it is not used before */
  expiresAt: string
}

export type Settings = {
  compression: {
    method: 'none'
  } | {
    method: 'gzip'
    level: number
  } | {
    method: 'zstd'
    level: number
    threads: number
  }
  /** How often a backup is tried in all */
  tries: number
  /** Before the second try; doubled before each further one */
  backoffSeconds: number
  /** A backup that takes longer is ended */
  timeoutMinutes: number
  /** A backup that moved no byte for so long is ended */
  stallMinutes: number
  /** When a missing backup is an alarm; absent: its schedule’s interval and two hours */
  overdueMinutes?: number
  /** When what retention does not keep is pruned, in the display time zone */
  cleanUpTime: string
  /** When copies are looked for on their volumes, likewise */
  fileCheckTime: string
  /** Within so many days all bytes of every copy are read and compared, a share each day */
  contentCheckDays: number
  /** How long jobs are remembered */
  historyDays: number
  /** How long failed jobs are remembered */
  failedHistoryDays: number
  /** How long the snapshot that is made before a restore is kept */
  safetyDays: number
  /** Of what goes wrong again and again, each so many times it is told again; 0: only the first time */
  noticeEvery: number
  /** By how much a dump may shrink or grow before it is told as an anomaly; 0: never */
  sizeAnomalyPercent: number
  /** On which day the weekly digest is told */
  digestWeekday: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday'
  /** And when, in the display time zone */
  digestTime: string
  /** In which times are shown, and new schedules run */
  displayTimeZone: string
  /** Requests per minute and token, ten times as many for a browser; 0: no limit */
  apiRateLimit: number
}

export type SettingsChanges = {
  compression?: {
    method: 'none'
  } | {
    method: 'gzip'
    level?: number
  } | {
    method: 'zstd'
    level?: number
    threads?: number
  } | null
  tries?: number | null
  backoffSeconds?: number | null
  timeoutMinutes?: number | null
  stallMinutes?: number | null
  overdueMinutes?: number | null
  cleanUpTime?: string | null
  fileCheckTime?: string | null
  contentCheckDays?: number | null
  historyDays?: number | null
  failedHistoryDays?: number | null
  safetyDays?: number | null
  noticeEvery?: number | null
  sizeAnomalyPercent?: number | null
  digestWeekday?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday' | null
  digestTime?: string | null
  displayTimeZone?: string | null
  apiRateLimit?: number | null
}

export type Setup = {
  /** What the app prints when it starts */
  token: string
  name: string
  email: string
  /** At least 12 characters, and none that others would guess */
  password: string
  /** What the first organization is called from now on */
  organization?: string
}

export type SetupState = {
  /** Nobody has an account yet */
  isOpen: boolean
}

export type SharedChannel = {
  id: string
  name: string
  kind: string
  isEnabled: boolean
}

export type ShownInvitation = {
  organization: string
  email: string
  role: string
  expiresAt: string
  /** There is an account with that e-mail, to be signed in to */
  hasAccount: boolean
}

export type SignInLink = {
  token: string
}

export type SignInMethods = {
  password: boolean
  /** Whether a forgotten password can be set anew by mail */
  passwordReset: boolean
  passkeys: boolean
  providers: {
    id: string
    name: string
  }[]
  /** What anybody may sign in with; null: this is no demonstration */
  demo: {
    email: string
    password: string
  } | null
}

export type SignInResult = {
  /** Not signed in yet: one of these is asked for */
  secondFactor?: ('totp' | 'recovery-code')[]
}

export type Smtp = {
  host: string
  port: number
  /** starttls: begun in the clear, and ended if the server does not offer it; tls: from the start */
  tls: 'starttls' | 'tls' | 'none'
  user?: string
  password?: string
  /** Holdfast <holdfast@example.com> */
  from: string
}

export type Snapshot = {
  id: string
  /** Null when the server was forgotten */
  serverId: string | null
  serverName: string
  engine: string
  database: string
  /** Null: of no plan (any more) */
  planId: string | null
  planName: string | null
  jobId: string | null
  /** The moment that it shows */
  takenAt: string
  finishedAt: string
  format: string
  rawBytes: number
  storedBytes: number
  /** Of the object as it is stored */
  sha256: string
  /** What it is encrypted with; null: not encrypted */
  keyId: string | null
  keyFingerprint: string | null
  trigger: string
  releaseVersion: string | null
  comment: string | null
  /** True: until it is unlocked; a time: until then. Retention and deletion leave it alone */
  locked: boolean | string
  /** When a drill last restored it */
  provenAt: string | null
  /** Something was left out on purpose */
  isPartial: boolean
  /** It was made by another program */
  isForeign: boolean
  copies: Copy[]
}

export type SnapshotChanges = {
  /** True: until it is unlocked; a time: until then. Retention and deletion leave it alone */
  locked?: boolean | string
  comment?: string | null
}

export type SnapshotContents = {
  source: 'manifest'
  /** Null where the dump does not tell */
  tables: {
    name: string
    rows: number
  }[] | null
  /** In all tables together */
  rows: number | null
  /** On purpose, in words */
  leftOut: string[]
  warnings: string[]
}

export type SnapshotDetails = {
  id: string
  /** Null when the server was forgotten */
  serverId: string | null
  serverName: string
  engine: string
  database: string
  /** Null: of no plan (any more) */
  planId: string | null
  planName: string | null
  jobId: string | null
  /** The moment that it shows */
  takenAt: string
  finishedAt: string
  format: string
  rawBytes: number
  storedBytes: number
  /** Of the object as it is stored */
  sha256: string
  /** What it is encrypted with; null: not encrypted */
  keyId: string | null
  keyFingerprint: string | null
  trigger: string
  releaseVersion: string | null
  comment: string | null
  /** True: until it is unlocked; a time: until then. Retention and deletion leave it alone */
  locked: boolean | string
  /** When a drill last restored it */
  provenAt: string | null
  /** Something was left out on purpose */
  isPartial: boolean
  /** It was made by another program */
  isForeign: boolean
  copies: Copy[]
  /** All that is known of it, as it lies beside each copy */
  manifest: {
    /** Of this format */
    version: 1
    /** Version of Holdfast that wrote it */
    holdfast: string
    /** The snapshot’s id, the same on every volume; time-ordered (UUIDv7) */
    snapshot: string
    /** When the dump began: the moment that the snapshot shows */
    startedAt: string
    /** When the last byte was confirmed by a volume */
    finishedAt: string
    organization?: string
    server: {
      id?: string
      /** The name that people gave it; if they gave none, its host */
      name: string
      /** postgresql, mysql, sqlite, … */
      engine: string
      /** mysql or mariadb for the engine mysql; else the engine */
      flavour: string
      version: string
    }
    /** Its name; @globals where the format is globals: what belongs to the server itself */
    database: string
    /** What is needed to create a database like it */
    properties: {
      encoding?: string
      collation?: string
      locale?: Record<string, string>
      owner?: string
      settings?: Record<string, string>
    }
    tool: {
      name: string
      version: string
    }
    /** Of the raw dump: custom, plain, directory (as tar), sqlite, … */
    format: string
    /** The raw dump’s name, as it is called when all wrappers are off */
    fileName: string
    /** What was left out on purpose, in words; absent if the dump is whole */
    partial?: string[]
    compression: {
      method: 'none' | 'gzip' | 'zstd'
      level?: number
    }
    encryption: {
      method: '7z'
      keyId: string
      /** First 8 bytes, in hex, of a hash of the derived key */
      fingerprint: string
    } | {
      method: 'age'
      keyId: string
      /** Of the recipients; null for a passphrase */
      fingerprint: string | null
      /** Public keys; empty for a passphrase */
      recipients: string[]
    } | null
    /** The dump as the tool wrote it */
    raw: {
      bytes: number
      sha256: string
    }
    /** The object as it lies on the volume */
    stored: {
      bytes: number
      sha256: string
    }
    /** Exact rows of each table, where the dump yields them */
    rows?: Record<string, number>
    /** The place in the server’s log that the dump corresponds to */
    position?: Record<string, string>
    /** Duration of each phase: connecting, dumping, checking */
    seconds: Record<string, number>
    warnings?: string[]
    /** manual, schedule, migration, safety, … */
    trigger: string
    plan?: {
      id: string
      name: string
    }
    /** The retention policy when it was made, in words */
    policy?: string
    /** The {version} of a migration’s run */
    releaseVersion?: string
    comment?: string
  }
}

export type StartedCheck = {
  /** Of the jobs that check it */
  jobIds: string[]
}

export type StartedRestore = {
  jobId: string
  /** In sentences; the restore goes on */
  warnings: string[]
}

export type StartedRun = {
  jobId: string
  /** The same was waiting to be run already */
  joined: boolean
}

export type TestFinding = {
  what: 'signedInAs'
  user: string
} | {
  what: 'unencrypted'
} | {
  what: 'sizeUnknown'
} | {
  what: 'space'
  freeBytes: number
  totalBytes: number
} | {
  what: 'spaceUnknown'
} | {
  what: 'readOnly'
} | {
  what: 'clocksApart'
  seconds: number
} | {
  what: 'clockAhead'
  seconds: number
} | {
  what: 'clockBehind'
  seconds: number
} | {
  what: 'clockUnknown'
} | {
  what: 'noObjectLock'
} | {
  what: 'copy'
  bytes: number
  location: string
  keyFits: boolean
} | {
  what: 'theServerItself'
} | {
  what: 'databaseIsThere'
  database: string
} | {
  what: 'databaseWillBeMade'
  database: string
} | {
  what: 'privilegesSuffice'
} | {
  what: 'privileges'
  /** What is alike once; text */
  lacking: {
    databases: {
      names: string[]
      others: number
    }
    words: string
  }[]
  /** Databases that lack something else */
  elsewhere: {
    names: string[]
    others: number
  }
  /** There was no time to look at them */
  unseen: {
    names: string[]
    others: number
  }
  /** Not there any more since the databases were listed */
  gone: {
    names: string[]
    others: number
  }
  good: {
    names: string[]
    others: number
  }
} | {
  what: 'issuer'
  issuer: string
} | {
  what: 'issuerDiffers'
  issuer: string
  expected: string
} | {
  what: 'signingKeys'
  count: number
} | {
  what: 'noSigningKeys'
} | {
  what: 'scopesMissing'
  scopes: string[]
} | {
  what: 'pkceUnsaid'
} | {
  what: 'pkceRefused'
} | {
  what: 'redirect'
  url: string
  isSettled: boolean
} | {
  what: 'noClaim'
}

export type TestReport = {
  passed: boolean
  steps: TestStep[]
}

export type TestStep = {
  step: 'reach and sign in' | 'encrypted' | 'version' | 'databases' | 'size' | 'privileges' | 'tools' | 'free space' | 'list' | 'write' | 'read' | 'read a range' | 'keep what is there' | 'keep the old when the new fails' | 'remove' | 'clean up' | 'examine' | 'clock' | 'upload in parts' | 'object lock' | 'send a message' | 'read its configuration' | 'issuer' | 'keys' | 'scopes' | 'PKCE' | 'mappings' | 'redirect URL' | 'copy' | 'engine' | 'target'
  /** The database that it is about, if that is one of several */
  of?: string
  outcome: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was found, or went wrong, and what helps */
  detail?: string
  /** What the detail is made from, if it is not text */
  finding?: TestFinding
  /** What an administrator runs to mend it, all of it in one piece */
  statements?: string
  milliseconds?: number
}

export type Token = {
  id: string
  name: string
  /** Null: nobody’s, as that of the command line */
  owner: {
    id: string
    name: string
    email: string
  } | null
  scopes: ('view' | 'run-backups' | 'restore' | 'download-snapshots' | 'edit-snapshots' | 'delete-snapshots' | 'manage-servers' | 'manage-plans' | 'manage-schedules' | 'manage-volumes' | 'manage-agents' | 'manage-settings' | 'manage-channels' | 'manage-keys' | 'manage-users' | 'manage-roles' | 'manage-tokens' | 'view-audit')[] | null
  /** Administers the instance, if its owner does */
  isInstanceAdministrator: boolean
  networks: string[] | null
  /** Null: never */
  expiresAt: string | null
  /** This request is signed with it */
  isOwn: boolean
  createdAt: string
  /** To the minute; null: never */
  lastUsedAt: string | null
}

export type TotpCode = {
  code: string
}

export type TotpEnrolment = {
  /** For a QR code: otpauth://totp/… */
  uri: string
  /** The same to be typed, in base32 */
  secret: string
  /** Each signs in once in the place of a code; shown this once */
  recoveryCodes: string[]
}

export type TotpRemoval = {
  password: string
} | {
  code: string
}

export type Trouble = {
  kind: 'loop-stopped' | 'volume-unreachable' | 'copies-corrupt' | 'copies-missing' | 'copies-not-stored' | 'key-missing' | 'volume-nearly-full' | 'deletion-failed' | 'app-backup-failed' | 'app-backup-overdue' | 'scheduled-restore-failed' | 'channel-failing'
  /** Of the volume, key, registration, scheduled restore or channel; the name of a loop */
  id: string
  /** Of the same; the fingerprint of a key that only snapshots know */
  name: string
  /** Null where nobody knows */
  since: string | null
  /** Of the copies; of the snapshots that need the key; null for the others */
  count: number | null
  /** What was said when it went wrong last */
  message: string | null
  /** The job in which it went wrong last */
  jobId: string | null
}

export type UndoRestore = {
  /** End other people’s sessions on the database that is replaced */
  endSessions?: boolean
  /** With replace: back the database up before it is replaced */
  safetySnapshot?: boolean
  keys?: RestoreKeys
  /** The name of the database, for a file its path or its name; wanted where one of a server in production is changed */
  confirmation?: string
}

export type UnfinishedRun = {
  /** urn:holdfast:error: and the code */
  type: string
  /** One sentence for a person */
  title: string
  status: number
  code: 'invalid_input' | 'tool_option_refused' | 'unsupported' | 'configuration_invalid' | 'not_signed_in' | 'sign_in_failed' | 'setup_closed' | 'organization_changed' | 'forbidden' | 'second_factor_required' | 'sign_in_expired' | 'account_unknown' | 'email_not_verified' | 'no_role' | 'identity_taken' | 'last_way_to_sign_in' | 'passkey_refused' | 'provider_unreachable' | 'provider_refused' | 'app_unreachable' | 'not_found' | 'name_taken' | 'place_taken' | 'in_use' | 'last_administrator' | 'changed_meanwhile' | 'too_many_requests' | 'request_in_progress' | 'idempotency_key_reused' | 'cancelled' | 'database_unreachable' | 'authentication_failed' | 'tls_failed' | 'permission_denied' | 'database_not_found' | 'database_exists' | 'database_in_use' | 'database_corrupt' | 'database_error' | 'nothing_matched' | 'tool_missing' | 'tool_failed' | 'tool_stalled' | 'dump_incomplete' | 'volume_unreachable' | 'volume_refused' | 'volume_read_only' | 'volume_full' | 'volume_corrupted' | 'host_key_unknown' | 'host_key_changed' | 'no_copy_stored' | 'object_not_found' | 'copies_kept' | 'snapshots_kept' | 'copies_not_found' | 'object_exists' | 'snapshot_not_found' | 'snapshot_protected' | 'snapshot_deleting' | 'range_not_satisfiable' | 'manifest_invalid' | 'checksum_mismatch' | 'address_refused' | 'channel_unreachable' | 'channel_refused' | 'key_missing' | 'key_wrong' | 'decryption_failed' | 'decompression_failed' | 'store_unavailable' | 'store_in_use' | 'store_newer' | 'store_older' | 'audit_failed' | 'audit_broken' | 'app_backup_failed' | 'runner_lost' | 'lease_lost' | 'job_interrupted' | 'job_timed_out' | 'job_too_late' | 'quota_reached' | 'hook_failed' | 'hook_skipped' | 'run_failed' | 'run_partial' | 'target_protected' | 'confirmation_needed' | 'restore_skipped' | 'sql_failed' | 'restore_mismatch' | 'disk_too_small' | 'internal'
  /** What can be done next */
  hint?: string
  /** Whether the same request can succeed later */
  retryable: boolean
  /** What is wrong with which field; nested ones like times.0 */
  errors?: {
    field: string
    message: string
  }[]
  state?: 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled'
  run?: Job
  backups?: Job[]
}

export type User = {
  id: string
  name: string
  email: string
  role: {
    id: string
    name: string
  }
  /** It gave the role, and may take it away; null: a person did */
  identityProvider: {
    id: string
    name: string
  } | null
  /** May do everything in every organization, whatever the role says; null: told only to instance administrators */
  isInstanceAdministrator: boolean | null
  /** Cannot sign in; null: told only to instance administrators */
  isDisabled: boolean | null
  /** Gives a code of an authenticator, or has a passkey */
  hasSecondFactor: boolean
  /** Of the sessions that have not ended; null: there is none */
  lastSignInAt: string | null
  joinedAt: string
}

export type UserChanges = {
  /** An id of GET /api/v1/roles */
  roleId?: string
}

export type Verification = {
  /** Only the copy there */
  volumeId?: string
}

export type Volume = {
  name: string
  /** Those of its kind, see GET /api/v1/volume-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** How many bytes of copies it may hold; null: no limit */
  quota: number | null
  /** What happens at the quota: backups say so, or are not written to it */
  quotaAction: 'warn' | 'refuse'
  /** Bytes per second to and from it, of one node; null: no limit */
  bandwidth: number | null
  /** How many jobs may use it at once */
  maxRunning: number
  /** For imports: nothing on it is changed */
  isReadOnly: boolean
  id: string
  kind: string
  /** Where it is, in words; null if its settings are not valid any more */
  location: string | null
  createdAt: string
  updatedAt: string
}

export type VolumeChanges = {
  name?: string
  /** Those of its kind, see GET /api/v1/volume-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings?: Record<string, unknown>
  /** How many bytes of copies it may hold; null: no limit */
  quota?: number | null
  /** What happens at the quota: backups say so, or are not written to it */
  quotaAction?: 'warn' | 'refuse'
  /** Bytes per second to and from it, of one node; null: no limit */
  bandwidth?: number | null
  /** How many jobs may use it at once */
  maxRunning?: number
  /** For imports: nothing on it is changed */
  isReadOnly?: boolean
  /** The settings name another place, to which all copies were moved: they are looked for there first */
  filesWereMoved?: boolean
}

export type VolumeKind = {
  name: string
  label: string
  settings: Record<string, unknown>
}

export type VolumeLosses = {
  /** But for those that were never stored */
  copies: number
  bytes: number
  /** When the newest of their snapshots was taken */
  newest: string | null
  /** Those that have a copy nowhere else */
  snapshots: number
  /** Names; while there are any, it cannot be forgotten */
  plans: string[]
  /** Likewise */
  appBackupRegistrations: string[]
}

export type VolumeTrial = {
  kind: string
  /** Those of its kind, see GET /api/v1/volume-kinds. A secret that equals its mask stays, unless it would be sent to another address */
  settings: Record<string, unknown>
  /** For imports: nothing on it is changed */
  isReadOnly?: boolean
  /** The volume whose secrets the masks in the settings stand for */
  volumeId?: string
}

export type VolumeUsage = {
  /** Of which it holds a good copy */
  snapshots: number
  copies: {
    stored: number
    failed: number
    missing: number
    corrupt: number
    delete_pending: number
  }
  /** Of its good copies */
  bytes: number
  /** Which the quota counts: with those of damaged copies, and of those still to be deleted */
  occupiedBytes: number
  /** How many bytes of copies it may hold; null: no limit */
  quota: number | null
  /** 1 is the whole quota; null if there is none */
  quotaShare: number | null
  /** When its oldest snapshot was taken */
  oldest: string | null
  newest: string | null
}

export interface Operations {
  /** Delete an account, with its memberships and tokens; says what went with it */
  'DELETE /api/v1/accounts/{id}': {
    params: {
      id: string
    }
    answer: AccountLosses
  }
  /** Take away the second factor of somebody who has lost it */
  'DELETE /api/v1/accounts/{id}/second-factor': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete a registration; the backups that it has made stay where they are */
  'DELETE /api/v1/app-backup-registrations/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete a channel that no rule names; what waits to be delivered there is not */
  'DELETE /api/v1/channels/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete a hook */
  'DELETE /api/v1/hooks/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete an identity provider: nobody signs in by it any more; roles that it gave stay */
  'DELETE /api/v1/identity-providers/{id}': {
    params: {
      id: string
    }
    query?: {
      /** Also where it is the only way to sign in for somebody */
      force?: string
    }
    answer: null
  }
  /** Take an invitation back */
  'DELETE /api/v1/invitations/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Forget an encryption key that protects nothing */
  'DELETE /api/v1/keys/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Take an account at an identity provider away; not the last way to sign in */
  'DELETE /api/v1/me/identities/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete a passkey; not the last way to sign in */
  'DELETE /api/v1/me/passkeys/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Sign out everywhere else */
  'DELETE /api/v1/me/sessions': {
    answer: EndedOtherSessions
  }
  /** Sign out in one other browser */
  'DELETE /api/v1/me/sessions/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Remove the authenticator app, and the recovery codes: the password alone signs in again */
  'DELETE /api/v1/me/totp': {
    body: TotpRemoval
    answer: null
  }
  /** Delete a rule */
  'DELETE /api/v1/notification-rules/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete an organization; nothing on its volumes is touched; says what was lost */
  'DELETE /api/v1/organizations/{id}': {
    params: {
      id: string
    }
    query?: {
      /** Its name */
      confirmation?: string
    }
    answer: OrganizationLosses
  }
  /** Delete a plan; if it has snapshots, only with a word on them */
  'DELETE /api/v1/plans/{id}': {
    params: {
      id: string
    }
    query?: {
      /** keep: they stay, under no plan; delete: with all their copies, but for those that must stay */
      snapshots?: 'keep' | 'delete'
    }
    answer: DeletedPlan | null
  }
  /** Delete a role that nobody has */
  'DELETE /api/v1/roles/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete a scheduled restore */
  'DELETE /api/v1/scheduled-restores/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Forget a schedule; refused, with the names, while anything uses it */
  'DELETE /api/v1/schedules/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Forget a server */
  'DELETE /api/v1/servers/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Delete a snapshot from all its volumes */
  'DELETE /api/v1/snapshots/{id}': {
    params: {
      id: string
    }
    query?: {
      /** Also if it is the newest good one of its database */
      newest?: 'true' | 'false'
    }
    answer: Deletion
  }
  /** Delete a token: nobody signs in with it any more */
  'DELETE /api/v1/tokens/{id}': {
    params: {
      id: string
    }
    query?: {
      /** Also the one of this request */
      force?: string
    }
    answer: null
  }
  /** Take a member out of the organization, with their tokens; the account stays */
  'DELETE /api/v1/users/{id}': {
    params: {
      id: string
    }
    answer: null
  }
  /** Forget a volume; what lies on it is not touched */
  'DELETE /api/v1/volumes/{id}': {
    params: {
      id: string
    }
    query?: {
      /** forget: also if it keeps copies, which the catalogue then forgets */
      copies?: 'forget'
    }
    answer: ForgottenVolume
  }
  /** What a role may allow */
  'GET /api/v1/abilities': {
    answer: {
      items: Ability[]
    }
  }
  /** Everybody who can sign in, by name */
  'GET /api/v1/accounts': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: Account[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One account */
  'GET /api/v1/accounts/{id}': {
    params: {
      id: string
    }
    answer: Account
  }
  /** What would go with an account */
  'GET /api/v1/accounts/{id}/losses': {
    params: {
      id: string
    }
    answer: AccountLosses
  }
  /** Where and when the app’s own database is backed up, by name */
  'GET /api/v1/app-backup-registrations': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: AppBackupRegistration[]
      /** Null on the last page */
      nextCursor: string | null
      /** What is to be recommended of all of them together: that one makes backups before migrations */
      recommendation: string | null
    }
  }
  /** One registration */
  'GET /api/v1/app-backup-registrations/{id}': {
    params: {
      id: string
    }
    answer: AppBackupRegistration
  }
  /** Backups of the app’s own database, the newest first */
  'GET /api/v1/app-backups': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      /** Its id */
      registration?: string
    }
    answer: {
      items: AppBackup[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** What people and programs have done, the newest first */
  'GET /api/v1/audit': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      /** An action, or its beginning: server */
      action?: string
      /** The id of a user or a token, or a part of its name */
      actor?: string
      /** The id of a thing, or a part of its name */
      target?: string
      /** succeeded, failed (all that is not), or the code of an error */
      outcome?: string
      /** Where the request came from */
      address?: string
      /** Then or later */
      from?: string
      /** Before */
      to?: string
      /** A text in any part of the entry */
      search?: string
      /** Those of all organizations, and of the instance: only for who administers it */
      instance?: string
    }
    answer: {
      items: AuditEntry[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** All of them, as one file: JSON lines, or CSV */
  'GET /api/v1/audit/export': {
    query?: {
      /** An action, or its beginning: server */
      action?: string
      /** The id of a user or a token, or a part of its name */
      actor?: string
      /** The id of a thing, or a part of its name */
      target?: string
      /** succeeded, failed (all that is not), or the code of an error */
      outcome?: string
      /** Where the request came from */
      address?: string
      /** Then or later */
      from?: string
      /** Before */
      to?: string
      /** A text in any part of the entry */
      search?: string
      /** Those of all organizations, and of the instance: only for who administers it */
      instance?: string
      as?: 'jsonl' | 'csv'
    }
    answer: unknown
  }
  /** Whether the log is what was recorded: goes through the whole chain of its hashes */
  'GET /api/v1/audit/verify': {
    query?: {
      /** A head that was noted earlier, as number:hash, must be in it, too */
      expect?: string
    }
    answer: AuditVerification
  }
  /** The kinds of channels, and their settings */
  'GET /api/v1/channel-kinds': {
    answer: {
      items: ChannelKind[]
    }
  }
  /** Channels, by name */
  'GET /api/v1/channels': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      kind?: string
    }
    answer: {
      items: Channel[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One channel */
  'GET /api/v1/channels/{id}': {
    params: {
      id: string
    }
    answer: Channel
  }
  /** The kinds of servers, and their settings */
  'GET /api/v1/engines': {
    answer: {
      items: Engine[]
    }
  }
  /** What happens, as server-sent events: each change of a job as “job”, with the job in its data */
  'GET /api/v1/events': {
    answer: unknown
  }
  /** The kinds of hooks, and their settings */
  'GET /api/v1/hook-kinds': {
    answer: {
      items: HookKind[]
    }
  }
  /** What hooks, and the scripts of the installation, get to know */
  'GET /api/v1/hook-variables': {
    answer: {
      items: HookVariable[]
    }
  }
  /** Hooks, by name */
  'GET /api/v1/hooks': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      plan?: string
      around?: 'backup' | 'restore'
      kind?: string
    }
    answer: {
      items: Hook[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One hook */
  'GET /api/v1/hooks/{id}': {
    params: {
      id: string
    }
    answer: Hook
  }
  /** The kinds of identity providers, and their settings */
  'GET /api/v1/identity-provider-kinds': {
    answer: {
      items: IdentityProviderKind[]
    }
  }
  /** Identity providers, by name */
  'GET /api/v1/identity-providers': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: IdentityProvider[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One identity provider */
  'GET /api/v1/identity-providers/{id}': {
    params: {
      id: string
    }
    answer: IdentityProvider
  }
  /** What applies to the whole installation: scripts, mail, how many app backups are kept */
  'GET /api/v1/instance-settings': {
    answer: InstanceSettings
  }
  /** Invitations, the newest first, without their links */
  'GET /api/v1/invitations': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: Invitation[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One invitation */
  'GET /api/v1/invitations/{id}': {
    params: {
      id: string
    }
    answer: Invitation
  }
  /** Jobs, the newest first */
  'GET /api/v1/jobs': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      /** One, or several with commas */
      state?: ('queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled')[]
      /** One, or several with commas */
      kind?: string[]
      parent?: string
      server?: string
      plan?: string
      database?: string
      snapshot?: string
      volume?: string
      /** Ended then or later */
      from?: string
      /** Ended before then */
      to?: string
    }
    answer: {
      items: Job[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One job */
  'GET /api/v1/jobs/{id}': {
    params: {
      id: string
    }
    answer: Job
  }
  /** What a job has said, as JSON piece by piece, as text with ?as=text, or as events while it runs */
  'GET /api/v1/jobs/{id}/log': {
    params: {
      id: string
    }
    query?: {
      /** The `next` of the piece before */
      after?: number
      as?: 'json' | 'text'
    }
    answer: {
      lines: LogLine[]
      /** For `after`, to read on */
      next: number
      /** Nothing will follow behind these lines */
      isOver: boolean
    }
  }
  /** Encryption keys, by name */
  'GET /api/v1/keys': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: EncryptionKey[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** Which snapshots each key protects, and which keys are missing */
  'GET /api/v1/keys/check': {
    answer: {
      items: KeyCheck[]
    }
  }
  /** One encryption key */
  'GET /api/v1/keys/{id}': {
    params: {
      id: string
    }
    answer: EncryptionKey
  }
  /** Who sends the request, and what it may do */
  'GET /api/v1/me': {
    answer: Me
  }
  /** One’s own accounts at identity providers */
  'GET /api/v1/me/identities': {
    answer: {
      items: Identity[]
    }
  }
  /** One’s own passkeys, the oldest first */
  'GET /api/v1/me/passkeys': {
    answer: {
      items: Passkey[]
    }
  }
  /** Where one is signed in */
  'GET /api/v1/me/sessions': {
    answer: {
      items: Session[]
    }
  }
  /** Whether one is asked for a code of an authenticator app */
  'GET /api/v1/me/totp': {
    answer: SecondFactorState
  }
  /** What people may want to hear of */
  'GET /api/v1/notification-events': {
    answer: {
      items: NotificationEvent[]
    }
  }
  /** Which events go to which channels: the rules, by name */
  'GET /api/v1/notification-rules': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: NotificationRule[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One rule */
  'GET /api/v1/notification-rules/{id}': {
    params: {
      id: string
    }
    answer: NotificationRule
  }
  /** Organizations, by name */
  'GET /api/v1/organizations': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: Organization[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One organization */
  'GET /api/v1/organizations/{id}': {
    params: {
      id: string
    }
    answer: Organization
  }
  /** Exactly what would be lost with an organization */
  'GET /api/v1/organizations/{id}/losses': {
    params: {
      id: string
    }
    answer: OrganizationLosses
  }
  /** The roles of an organization, by name: those that an identity provider may give in it */
  'GET /api/v1/organizations/{id}/roles': {
    params: {
      id: string
    }
    answer: {
      items: OrganizationRole[]
    }
  }
  /** How every database of every enabled plan fares, what else needs attention, what runs now, and what runs next */
  'GET /api/v1/overview': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      /** One, or several with commas */
      standing?: ('protected' | 'overdue' | 'failing' | 'never')[]
      server?: string
      plan?: string
      /** Words that are in the name of the database, its plan or its server */
      search?: string
    }
    answer: Overview
  }
  /** How backups went on the last days, and how many bytes the volumes held then */
  'GET /api/v1/overview/history': {
    query?: {
      /** How many, today included */
      days?: number
    }
    answer: OverviewHistory
  }
  /** Plans, by name */
  'GET /api/v1/plans': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      server?: string
      schedule?: string
      volume?: string
      /** A part of the name */
      search?: string
    }
    answer: {
      items: Plan[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One plan */
  'GET /api/v1/plans/{id}': {
    params: {
      id: string
    }
    answer: Plan
  }
  /** Which databases the plan is about now, as the server lists them */
  'GET /api/v1/plans/{id}/databases': {
    params: {
      id: string
    }
    answer: DatabaseMatches
  }
  /** Exactly what would be lost with a plan if its snapshots are deleted with it */
  'GET /api/v1/plans/{id}/losses': {
    params: {
      id: string
    }
    answer: PlanLosses
  }
  /** Restores, the newest first */
  'GET /api/v1/restores': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      server?: string
      database?: string
      snapshot?: string
      state?: 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled'
      /** Of a snapshot of this plan; with sourceDatabase */
      sourcePlan?: string
      /** Of a snapshot of this database */
      sourceDatabase?: string
    }
    answer: {
      items: Restore[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One restore, by the id of its job */
  'GET /api/v1/restores/{id}': {
    params: {
      id: string
    }
    answer: Restore
  }
  /** Which copies retention deletes, and why, now or until a later moment; and why others stay */
  'GET /api/v1/retention/preview': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      plan?: string
      database?: string
      until?: string
    }
    answer: {
      items: DatabaseRetention[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** Roles, by name */
  'GET /api/v1/roles': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: Role[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One role */
  'GET /api/v1/roles/{id}': {
    params: {
      id: string
    }
    answer: Role
  }
  /** Scheduled restores, by name */
  'GET /api/v1/scheduled-restores': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      /** The source’s, or the target’s */
      server?: string
      schedule?: string
    }
    answer: {
      items: ScheduledRestore[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One scheduled restore */
  'GET /api/v1/scheduled-restores/{id}': {
    params: {
      id: string
    }
    answer: ScheduledRestore
  }
  /** Schedules, by name */
  'GET /api/v1/schedules': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: Schedule[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One schedule */
  'GET /api/v1/schedules/{id}': {
    params: {
      id: string
    }
    answer: Schedule
  }
  /** Servers, by name */
  'GET /api/v1/servers': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      engine?: string
    }
    answer: {
      items: Server[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One server */
  'GET /api/v1/servers/{id}': {
    params: {
      id: string
    }
    answer: Server
  }
  /** Whether the server answers now, as it was looked at in the last half minute */
  'GET /api/v1/servers/{id}/connection': {
    params: {
      id: string
    }
    answer: ServerConnection
  }
  /** The databases that can be backed up, as the server lists them now */
  'GET /api/v1/servers/{id}/databases': {
    params: {
      id: string
    }
    answer: {
      items: string[]
    }
  }
  /** How many snapshots there are of each database of a server, and how old the newest is */
  'GET /api/v1/servers/{id}/snapshots': {
    params: {
      id: string
    }
    answer: {
      items: DatabaseSnapshots[]
    }
  }
  /** What people change while the app runs */
  'GET /api/v1/settings': {
    answer: Settings
  }
  /** Whether the first account is still to be made */
  'GET /api/v1/setup': {
    answer: SetupState
  }
  /** Channels of other organizations that rules may name */
  'GET /api/v1/shared-channels': {
    answer: {
      items: SharedChannel[]
    }
  }
  /** Which ways to sign in there are */
  'GET /api/v1/sign-in': {
    answer: SignInMethods
  }
  /** Sign in by an identity provider: sends the browser there */
  'GET /api/v1/sign-in/providers/{id}': {
    params: {
      id: string
    }
    query?: {
      /** The page that follows */
      to?: string
    }
    answer: unknown
  }
  /** Where the identity provider sends the browser back to, and where it is signed in */
  'GET /api/v1/sign-in/providers/{id}/callback': {
    params: {
      id: string
    }
    query?: {
      code?: string
      state?: string
      iss?: string
      error?: string
      error_description?: string
    }
    answer: unknown
  }
  /** Snapshots, by time, size or name; unless something else is said, the newest first */
  'GET /api/v1/snapshots': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      /** Id */
      server?: string
      /** Id, or none: of no plan */
      plan?: string
      database?: string
      /** Id: with a copy there */
      volume?: string
      engine?: string
      /** Taken then or later */
      from?: string
      /** Taken before then */
      to?: string
      locked?: 'true' | 'false'
      proven?: 'true' | 'false'
      /** With a copy in this state */
      copy?: 'stored' | 'failed' | 'missing' | 'corrupt' | 'delete_pending'
      /** In the database, the comment, the server’s name, the release’s version, or a key */
      search?: string
      /** By time, by size, or by the name of the database; those of one name by time */
      sort?: 'takenAt' | 'storedBytes' | 'database'
      /** Absent: the newest first, the largest first, A to Z */
      order?: 'asc' | 'desc'
    }
    answer: {
      items: Snapshot[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One snapshot, with its manifest */
  'GET /api/v1/snapshots/{id}': {
    params: {
      id: string
    }
    answer: SnapshotDetails
  }
  /** The tables of a snapshot */
  'GET /api/v1/snapshots/{id}/contents': {
    params: {
      id: string
    }
    answer: SnapshotContents
  }
  /** The object as it is stored, or the dump in it; by a link to the volume where there is one */
  'GET /api/v1/snapshots/{id}/download': {
    params: {
      id: string
    }
    query?: {
      /** From there; absent: from the best one */
      volume?: string
      /** As it lies on the volume, or decrypted and decompressed on the way */
      as?: 'stored' | 'plain'
      /** Answer with the link, instead of going to it */
      link?: 'true' | 'false'
      /** Through the app, also where the volume has links */
      direct?: 'true' | 'false'
    }
    answer: DownloadLink | string
  }
  /** One’s own tokens, and with “manage-tokens” those of all, by name */
  'GET /api/v1/tokens': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: Token[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One token */
  'GET /api/v1/tokens/{id}': {
    params: {
      id: string
    }
    answer: Token
  }
  /** The members of the organization, by name */
  'GET /api/v1/users': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    answer: {
      items: User[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One member */
  'GET /api/v1/users/{id}': {
    params: {
      id: string
    }
    answer: User
  }
  /** The kinds of volumes, and their settings */
  'GET /api/v1/volume-kinds': {
    answer: {
      items: VolumeKind[]
    }
  }
  /** Volumes, by name */
  'GET /api/v1/volumes': {
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
      kind?: string
    }
    answer: {
      items: Volume[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** One volume */
  'GET /api/v1/volumes/{id}': {
    params: {
      id: string
    }
    answer: Volume
  }
  /** What would be forgotten with the volume */
  'GET /api/v1/volumes/{id}/losses': {
    params: {
      id: string
    }
    answer: VolumeLosses
  }
  /** What the volume holds, as the catalogue knows it */
  'GET /api/v1/volumes/{id}/usage': {
    params: {
      id: string
    }
    answer: VolumeUsage
  }
  /** The process answers */
  'GET /health/live': {
    answer: Health
  }
  /** The process can work: its store answers, its loops go round, its disk has room */
  'GET /health/ready': {
    answer: Health
  }
  /** Change an account: name, e-mail, whether it may sign in and administers the instance */
  'PATCH /api/v1/accounts/{id}': {
    params: {
      id: string
    }
    body: AccountChanges
    answer: Account
  }
  /** Change a registration; with If-Match only what was read */
  'PATCH /api/v1/app-backup-registrations/{id}': {
    params: {
      id: string
    }
    body: AppBackupRegistrationChanges
    answer: AppBackupRegistration
  }
  /** Change a channel; with If-Match only what was read */
  'PATCH /api/v1/channels/{id}': {
    params: {
      id: string
    }
    body: ChannelChanges
    answer: Channel
  }
  /** Change a hook; with If-Match only what was read */
  'PATCH /api/v1/hooks/{id}': {
    params: {
      id: string
    }
    body: HookChanges
    answer: Hook
  }
  /** Change an identity provider; with If-Match only what was read */
  'PATCH /api/v1/identity-providers/{id}': {
    params: {
      id: string
    }
    body: IdentityProviderChanges
    answer: IdentityProvider
  }
  /** Change them; null brings back the default; with If-Match only what was read */
  'PATCH /api/v1/instance-settings': {
    body: InstanceSettingsChanges
    answer: InstanceSettings
  }
  /** Rename an encryption key, or retire it; with If-Match only what was read */
  'PATCH /api/v1/keys/{id}': {
    params: {
      id: string
    }
    body: EncryptionKeyChanges
    answer: EncryptionKey
  }
  /** Change one’s name */
  'PATCH /api/v1/me': {
    body: MyChanges
    answer: Me
  }
  /** Rename a passkey */
  'PATCH /api/v1/me/passkeys/{id}': {
    params: {
      id: string
    }
    body: PasskeyChanges
    answer: Passkey
  }
  /** Change a rule; with If-Match only what was read */
  'PATCH /api/v1/notification-rules/{id}': {
    params: {
      id: string
    }
    body: NotificationRuleChanges
    answer: NotificationRule
  }
  /** Rename an organization */
  'PATCH /api/v1/organizations/{id}': {
    params: {
      id: string
    }
    body: OrganizationChanges
    answer: Organization
  }
  /** Change a plan; with If-Match only what was read */
  'PATCH /api/v1/plans/{id}': {
    params: {
      id: string
    }
    body: PlanChanges
    answer: Plan
  }
  /** Change a role, also a built-in one; with If-Match only what was read */
  'PATCH /api/v1/roles/{id}': {
    params: {
      id: string
    }
    body: RoleChanges
    answer: Role
  }
  /** Change a scheduled restore; with If-Match only what was read */
  'PATCH /api/v1/scheduled-restores/{id}': {
    params: {
      id: string
    }
    body: ScheduledRestoreChanges
    answer: ScheduledRestore
  }
  /** Change a schedule; a new rule counts from now on; with If-Match only what was read */
  'PATCH /api/v1/schedules/{id}': {
    params: {
      id: string
    }
    body: ScheduleChanges
    answer: Schedule
  }
  /** Change a server; with If-Match only what was read */
  'PATCH /api/v1/servers/{id}': {
    params: {
      id: string
    }
    body: ServerChanges
    answer: Server
  }
  /** Change settings; null brings back the default; with If-Match only what was read */
  'PATCH /api/v1/settings': {
    body: SettingsChanges
    answer: Settings
  }
  /** Lock or unlock a snapshot, or comment on it; with If-Match only what was read */
  'PATCH /api/v1/snapshots/{id}': {
    params: {
      id: string
    }
    body: SnapshotChanges
    answer: SnapshotDetails
  }
  /** Give a member another role */
  'PATCH /api/v1/users/{id}': {
    params: {
      id: string
    }
    body: UserChanges
    answer: User
  }
  /** Change a volume; with If-Match only what was read */
  'PATCH /api/v1/volumes/{id}': {
    params: {
      id: string
    }
    body: VolumeChanges
    answer: Volume
  }
  /** Make an account with a password, or an invitation to make one */
  'POST /api/v1/accounts': {
    body: NewAccount
    answer: CreatedAccount
  }
  /** End all its sessions */
  'POST /api/v1/accounts/{id}/sign-out': {
    params: {
      id: string
    }
    answer: EndedSessions
  }
  /** Add a registration; a folder is tried out first */
  'POST /api/v1/app-backup-registrations': {
    body: NewAppBackupRegistration
    answer: AppBackupRegistration
  }
  /** Write and remove a small object with settings that are not saved */
  'POST /api/v1/app-backup-registrations/test': {
    body: AppBackupTrial
    answer: TestReport
  }
  /** Make an app backup now */
  'POST /api/v1/app-backup-registrations/{id}/run': {
    params: {
      id: string
    }
    answer: Job
  }
  /** Write and remove a small object where the registration puts its backups */
  'POST /api/v1/app-backup-registrations/{id}/test': {
    params: {
      id: string
    }
    answer: TestReport
  }
  /** Add a channel */
  'POST /api/v1/channels': {
    body: NewChannel
    answer: Channel
  }
  /** Send a message with settings before they are saved; nothing is stored */
  'POST /api/v1/channels/test': {
    body: ChannelTrial
    answer: TestReport
  }
  /** Send a message, also where it is disabled, and say what the receiver answers */
  'POST /api/v1/channels/{id}/test': {
    params: {
      id: string
    }
    answer: TestReport
  }
  /** What a connection string says, for a form to be filled in with; nothing is stored */
  'POST /api/v1/connection-strings': {
    body: ConnectionString
    answer: ConnectionOfString
  }
  /** Add a hook */
  'POST /api/v1/hooks': {
    body: NewHook
    answer: Hook
  }
  /** Add an identity provider */
  'POST /api/v1/identity-providers': {
    body: NewIdentityProvider
    answer: IdentityProvider
  }
  /** Ask an identity provider what it says of itself, and say what was found */
  'POST /api/v1/identity-providers/{id}/test': {
    params: {
      id: string
    }
    answer: TestReport
  }
  /** Invite somebody: the link is shown this once, and mailed where a mail server is set */
  'POST /api/v1/invitations': {
    body: NewInvitation
    answer: CreatedInvitation
  }
  /** Accept an invitation, with a new account, or the one that there is */
  'POST /api/v1/invitations/accept': {
    body: InvitationAnswer
    answer: AcceptedInvitation
  }
  /** What an invitation is for */
  'POST /api/v1/invitations/look': {
    body: InvitationLook
    answer: ShownInvitation
  }
  /** Another link, in the place of the one before */
  'POST /api/v1/invitations/{id}/renew': {
    params: {
      id: string
    }
    answer: CreatedInvitation
  }
  /** Stop a job in whatever state it is; the run of a plan with all its backups */
  'POST /api/v1/jobs/{id}/cancel': {
    params: {
      id: string
    }
    answer: Job
  }
  /** Do again, in another job, what a job that is over has not done */
  'POST /api/v1/jobs/{id}/retry': {
    params: {
      id: string
    }
    answer: Job
  }
  /** Add an encryption key */
  'POST /api/v1/keys': {
    body: NewEncryptionKey
    answer: AddedEncryptionKey
  }
  /** Begin to add an identity provider to one’s own ways to sign in: says where the browser goes */
  'POST /api/v1/me/identities': {
    body: NewIdentity
    answer: {
      url: string
    }
  }
  /** Switch to another organization, in this session */
  'POST /api/v1/me/organization': {
    body: OrganizationChoice
    answer: Me
  }
  /** Add a passkey */
  'POST /api/v1/me/passkeys': {
    body: NewPasskey
    answer: Passkey
  }
  /** Begin to add a passkey: what the browser is asked for */
  'POST /api/v1/me/passkeys/options': {
    answer: PasskeyCreationOptions
  }
  /** Choose another password: all other sessions end */
  'POST /api/v1/me/password': {
    body: PasswordChange
    answer: null
  }
  /** Make new recovery codes: the former ones are worth nothing any more */
  'POST /api/v1/me/recovery-codes': {
    body: PasswordConfirmation
    answer: RecoveryCodes
  }
  /** Make a secret for an authenticator app; it counts once a code of it was right */
  'POST /api/v1/me/totp': {
    body: PasswordConfirmation
    answer: TotpEnrolment
  }
  /** Enter the first code: from now on one is asked for behind the password */
  'POST /api/v1/me/totp/verify': {
    body: TotpCode
    answer: null
  }
  /** Add a rule */
  'POST /api/v1/notification-rules': {
    body: NewNotificationRule
    answer: NotificationRule
  }
  /** Add an organization, with its roles, a notification rule and a first volume */
  'POST /api/v1/organizations': {
    body: NewOrganization
    answer: Organization
  }
  /** Move everything of an organization into another one, or say what would happen */
  'POST /api/v1/organizations/{id}/merge': {
    params: {
      id: string
    }
    body: OrganizationMerge
    answer: MergedOrganization
  }
  /** Mail a link to set a new password with; whether there is such an account is not said */
  'POST /api/v1/password-reset': {
    body: PasswordReset
    answer: null
  }
  /** Set the password that a link was mailed for: all sessions end */
  'POST /api/v1/password-reset/confirm': {
    body: PasswordResetConfirmation
    answer: null
  }
  /** Add a plan */
  'POST /api/v1/plans': {
    body: NewPlan
    answer: Plan
  }
  /** Which databases a choice means now, before it is saved */
  'POST /api/v1/plans/preview': {
    body: PlanPreview
    answer: DatabaseMatches
  }
  /** The same for a plan with another policy, before it is saved */
  'POST /api/v1/plans/{id}/retention/preview': {
    params: {
      id: string
    }
    query?: {
      limit?: number
      /** The nextCursor of the page before */
      cursor?: string
    }
    body: RetentionTrial
    answer: {
      items: DatabaseRetention[]
      /** Null on the last page */
      nextCursor: string | null
    }
  }
  /** Back up now; with wait, answer 200 only when all is complete on all volumes */
  'POST /api/v1/plans/{id}/run': {
    params: {
      id: string
    }
    body: RunOrder | null
    answer: PlanRun | StartedRun
  }
  /** Restore a snapshot, after a look at all that it would meet */
  'POST /api/v1/restores': {
    body: NewRestore
    answer: StartedRestore
  }
  /** Look at all that a restore would meet, step by step, and change nothing */
  'POST /api/v1/restores/check': {
    body: NewRestore
    answer: RestoreCheck
  }
  /** Put back what a restore has replaced: its safety snapshot */
  'POST /api/v1/restores/{id}/undo': {
    params: {
      id: string
    }
    body: UndoRestore | null
    answer: StartedRestore
  }
  /** Add a role, with no more than one may do oneself */
  'POST /api/v1/roles': {
    body: NewRole
    answer: Role
  }
  /** Add a server with a small database to try Holdfast out with */
  'POST /api/v1/sample-server': {
    answer: Server
  }
  /** Add a restore that repeats */
  'POST /api/v1/scheduled-restores': {
    body: NewScheduledRestore
    answer: ScheduledRestore
  }
  /** Restore the newest snapshot now */
  'POST /api/v1/scheduled-restores/{id}/run': {
    params: {
      id: string
    }
    answer: {
      jobId: string
    }
  }
  /** Add a schedule */
  'POST /api/v1/schedules': {
    body: NewSchedule
    answer: Schedule
  }
  /** What a rule means in words, and when it runs next */
  'POST /api/v1/schedules/preview': {
    body: RuleTrial
    answer: SchedulePreview
  }
  /** Run all now: every enabled plan of the schedule */
  'POST /api/v1/schedules/{id}/run': {
    params: {
      id: string
    }
    answer: {
      items: {
        jobId: string
        /** The same was waiting to be run already */
        joined: boolean
        planId: string
      }[]
    }
  }
  /** Add a server */
  'POST /api/v1/servers': {
    body: NewServer
    answer: Server
  }
  /** Try settings out before they are saved; nothing is stored */
  'POST /api/v1/servers/test': {
    body: ServerTrial
    answer: TestReport
  }
  /** Reach the server, and say step by step what a backup would meet */
  'POST /api/v1/servers/{id}/test': {
    params: {
      id: string
    }
    answer: TestReport
  }
  /** Make the first account, which administers the instance, and sign in */
  'POST /api/v1/setup': {
    body: Setup
    answer: SignInResult
  }
  /** Sign in with a password: a cookie carries the session */
  'POST /api/v1/sign-in': {
    body: Credentials
    answer: SignInResult
  }
  /** Sign in with what a link carries that was made on the machine of the app */
  'POST /api/v1/sign-in/link': {
    body: SignInLink
    answer: SignInResult
  }
  /** Sign in with a passkey */
  'POST /api/v1/sign-in/passkey': {
    body: PasskeySignIn
    answer: SignInResult
  }
  /** Begin to sign in with a passkey: what the browser is asked for */
  'POST /api/v1/sign-in/passkey/options': {
    answer: PasskeyRequestOptions
  }
  /** The second half of a sign-in with a password: a code, or a recovery code */
  'POST /api/v1/sign-in/second-factor': {
    body: SecondFactor
    answer: SignInResult
  }
  /** End the session of this browser */
  'POST /api/v1/sign-out': {
    answer: null
  }
  /** Delete snapshots, all of them or none; with dryRun say what would go */
  'POST /api/v1/snapshots/delete': {
    body: DeletionOrder
    answer: Deletion
  }
  /** Read its copies from the first byte to the last, and compare them with the manifest */
  'POST /api/v1/snapshots/{id}/verify': {
    params: {
      id: string
    }
    body: Verification | null
    answer: {
      jobId: string
    }
  }
  /** Make a token, which is shown this once; for people, and the token of the command line */
  'POST /api/v1/tokens': {
    body: NewToken
    answer: CreatedToken
  }
  /** Make somebody a member who has an account: for instance administrators; others invite */
  'POST /api/v1/users': {
    body: NewUser
    answer: User
  }
  /** Add a volume */
  'POST /api/v1/volumes': {
    body: NewVolume
    answer: Volume
  }
  /** Try settings out before they are saved; nothing is stored */
  'POST /api/v1/volumes/test': {
    body: VolumeTrial
    answer: TestReport
  }
  /** Look for every copy that should be on the volume; with contents also read a share of them */
  'POST /api/v1/volumes/{id}/check': {
    params: {
      id: string
    }
    body: CheckOrder | null
    answer: StartedCheck
  }
  /** Read all manifests on the volume, and adopt what the catalogue does not know */
  'POST /api/v1/volumes/{id}/scan': {
    params: {
      id: string
    }
    answer: Job
  }
  /** Try out all that backups need of the volume, step by step */
  'POST /api/v1/volumes/{id}/test': {
    params: {
      id: string
    }
    answer: TestReport
  }
}
