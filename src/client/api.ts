// Made by scripts/client-types.ts from the OpenAPI document: do not edit it.

export type CreatedToken = {
  id: string
  name: string
  /** This request is signed with it */
  isOwn: boolean
  createdAt: string
  /** To the minute; null: never */
  lastUsedAt: string | null
  /** The token itself, which is shown this once */
  token: string
}

export type Engine = {
  name: string
  label: string
  connection: Record<string, unknown>
  dumpOptions: Record<string, unknown>
  restoreOptions: Record<string, unknown>
}

export type Health = {
  status: 'ok' | 'unavailable'
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
  progress: JobProgress | null
  /** What came of it; depends on its kind */
  result: unknown
  /** Why it failed, or why its last attempt did */
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
  /** connecting, dumping, checking, downloading, restoring, counting */
  phase: string
  /** Of the raw dump so far */
  rawBytes?: number
  /** Of the object so far */
  storedBytes?: number
  /** Of the raw dump in all; an estimate */
  expectedRawBytes?: number
}

export type LogLine = {
  at: string
  level: 'info' | 'warning' | 'error'
  message: string
  fields?: Record<string, unknown>
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
}

export type Problem = {
  /** urn:holdfast:error: and the code */
  type: string
  /** One sentence for a person */
  title: string
  status: number
  code:
    | 'invalid_input'
    | 'tool_option_refused'
    | 'unsupported'
    | 'configuration_invalid'
    | 'not_signed_in'
    | 'app_unreachable'
    | 'not_found'
    | 'name_taken'
    | 'place_taken'
    | 'in_use'
    | 'changed_meanwhile'
    | 'too_many_requests'
    | 'request_in_progress'
    | 'idempotency_key_reused'
    | 'cancelled'
    | 'database_unreachable'
    | 'authentication_failed'
    | 'tls_failed'
    | 'permission_denied'
    | 'database_not_found'
    | 'database_exists'
    | 'database_in_use'
    | 'database_corrupt'
    | 'database_error'
    | 'nothing_matched'
    | 'tool_missing'
    | 'tool_failed'
    | 'tool_stalled'
    | 'dump_incomplete'
    | 'volume_unreachable'
    | 'volume_refused'
    | 'volume_read_only'
    | 'volume_full'
    | 'volume_corrupted'
    | 'host_key_unknown'
    | 'host_key_changed'
    | 'no_copy_stored'
    | 'object_not_found'
    | 'copies_kept'
    | 'snapshots_kept'
    | 'copies_not_found'
    | 'object_exists'
    | 'snapshot_not_found'
    | 'manifest_invalid'
    | 'checksum_mismatch'
    | 'key_missing'
    | 'key_wrong'
    | 'decryption_failed'
    | 'decompression_failed'
    | 'store_unavailable'
    | 'store_in_use'
    | 'store_newer'
    | 'runner_lost'
    | 'lease_lost'
    | 'job_interrupted'
    | 'job_timed_out'
    | 'job_too_late'
    | 'quota_reached'
    | 'run_failed'
    | 'run_partial'
    | 'target_protected'
    | 'confirmation_needed'
    | 'restore_skipped'
    | 'sql_failed'
    | 'restore_mismatch'
    | 'disk_too_small'
    | 'internal'
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

export type TestReport = {
  passed: boolean
  steps: TestStep[]
}

export type TestStep = {
  /** reach and sign in, write, read a range, free space, … */
  step: string
  outcome: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was found, or went wrong, and what helps */
  detail?: string
  milliseconds?: number
}

export type Token = {
  id: string
  name: string
  /** This request is signed with it */
  isOwn: boolean
  createdAt: string
  /** To the minute; null: never */
  lastUsedAt: string | null
}

export interface Operations {
  /** Forget a server */
  'DELETE /api/v1/servers/{id}': {
    params: {
      id: string
    }
    answer: null
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
  /** The databases that can be backed up, as the server lists them now */
  'GET /api/v1/servers/{id}/databases': {
    params: {
      id: string
    }
    answer: {
      items: string[]
    }
  }
  /** Tokens, by name */
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
  /** The process answers */
  'GET /health/live': {
    answer: Health
  }
  /** The process can work: its store can be reached */
  'GET /health/ready': {
    answer: Health
  }
  /** Change a server; with If-Match only what was read */
  'PATCH /api/v1/servers/{id}': {
    params: {
      id: string
    }
    body: ServerChanges
    answer: Server
  }
  /** Stop a job in whatever state it is; the run of a plan with all its backups */
  'POST /api/v1/jobs/{id}/cancel': {
    params: {
      id: string
    }
    answer: Job
  }
  /** Add a server */
  'POST /api/v1/servers': {
    body: NewServer
    answer: Server
  }
  /** Reach the server, and say step by step what a backup would meet */
  'POST /api/v1/servers/{id}/test': {
    params: {
      id: string
    }
    answer: TestReport
  }
  /** Make a token, which is shown this once */
  'POST /api/v1/tokens': {
    body: NewToken
    answer: CreatedToken
  }
}
