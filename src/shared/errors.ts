/**
 * The catalogue of errors. `status` is the HTTP status, `exit` the CLI's exit code, and `retryable` says whether
 * the same thing can succeed when it is simply tried again. docs/guide/errors.md explains each code.
 */
export const errors = {
  invalid_input: { status: 400, exit: 2, retryable: false },
  tool_option_refused: { status: 400, exit: 2, retryable: false },
  unsupported: { status: 400, exit: 2, retryable: false },
  configuration_invalid: { status: 500, exit: 2, retryable: false },
  not_signed_in: { status: 401, exit: 2, retryable: false },
  sign_in_failed: { status: 401, exit: 2, retryable: false },
  setup_closed: { status: 409, exit: 1, retryable: false },
  organization_changed: { status: 409, exit: 1, retryable: false },
  forbidden: { status: 403, exit: 2, retryable: false },
  second_factor_required: { status: 403, exit: 2, retryable: false },
  sign_in_expired: { status: 400, exit: 1, retryable: true },
  account_unknown: { status: 403, exit: 1, retryable: false },
  email_not_verified: { status: 403, exit: 1, retryable: false },
  no_role: { status: 403, exit: 1, retryable: false },
  identity_taken: { status: 409, exit: 1, retryable: false },
  last_way_to_sign_in: { status: 409, exit: 1, retryable: false },
  passkey_refused: { status: 400, exit: 1, retryable: false },
  provider_unreachable: { status: 502, exit: 1, retryable: true },
  provider_refused: { status: 502, exit: 1, retryable: false },
  app_unreachable: { status: 502, exit: 1, retryable: true },
  not_found: { status: 404, exit: 4, retryable: false },
  name_taken: { status: 409, exit: 1, retryable: false },
  place_taken: { status: 409, exit: 1, retryable: false },
  in_use: { status: 409, exit: 1, retryable: false },
  last_administrator: { status: 409, exit: 1, retryable: false },
  changed_meanwhile: { status: 412, exit: 1, retryable: false },
  too_many_requests: { status: 429, exit: 1, retryable: true },
  request_in_progress: { status: 409, exit: 1, retryable: true },
  idempotency_key_reused: { status: 422, exit: 2, retryable: false },
  cancelled: { status: 409, exit: 130, retryable: false },

  database_unreachable: { status: 502, exit: 1, retryable: true },
  authentication_failed: { status: 502, exit: 1, retryable: false },
  tls_failed: { status: 502, exit: 1, retryable: false },
  permission_denied: { status: 502, exit: 1, retryable: false },
  database_not_found: { status: 404, exit: 4, retryable: false },
  database_exists: { status: 409, exit: 1, retryable: false },
  database_in_use: { status: 409, exit: 1, retryable: true },
  database_corrupt: { status: 502, exit: 5, retryable: false },
  database_error: { status: 502, exit: 1, retryable: false },
  nothing_matched: { status: 422, exit: 1, retryable: false },

  tool_missing: { status: 500, exit: 1, retryable: false },
  tool_failed: { status: 502, exit: 1, retryable: false },
  tool_stalled: { status: 504, exit: 1, retryable: true },
  dump_incomplete: { status: 502, exit: 1, retryable: false },

  volume_unreachable: { status: 502, exit: 1, retryable: true },
  volume_refused: { status: 502, exit: 1, retryable: false },
  volume_read_only: { status: 409, exit: 1, retryable: false },
  volume_full: { status: 507, exit: 1, retryable: false },
  volume_corrupted: { status: 502, exit: 5, retryable: false },
  host_key_unknown: { status: 502, exit: 1, retryable: false },
  host_key_changed: { status: 502, exit: 1, retryable: false },
  no_copy_stored: { status: 502, exit: 1, retryable: false },
  object_not_found: { status: 404, exit: 4, retryable: false },
  copies_kept: { status: 409, exit: 1, retryable: false },
  snapshots_kept: { status: 409, exit: 1, retryable: false },
  copies_not_found: { status: 409, exit: 4, retryable: false },
  object_exists: { status: 409, exit: 1, retryable: false },
  snapshot_not_found: { status: 404, exit: 4, retryable: false },
  snapshot_protected: { status: 409, exit: 1, retryable: false },
  snapshot_deleting: { status: 409, exit: 1, retryable: false },
  range_not_satisfiable: { status: 416, exit: 2, retryable: false },
  manifest_invalid: { status: 422, exit: 5, retryable: false },
  checksum_mismatch: { status: 422, exit: 5, retryable: false },

  address_refused: { status: 400, exit: 2, retryable: false },
  channel_unreachable: { status: 502, exit: 1, retryable: true },
  channel_refused: { status: 502, exit: 1, retryable: false },

  key_missing: { status: 422, exit: 2, retryable: false },
  key_wrong: { status: 422, exit: 2, retryable: false },
  decryption_failed: { status: 422, exit: 5, retryable: false },
  decompression_failed: { status: 422, exit: 5, retryable: false },

  store_unavailable: { status: 503, exit: 1, retryable: true },
  store_in_use: { status: 503, exit: 1, retryable: false },
  store_newer: { status: 503, exit: 2, retryable: false },
  store_older: { status: 503, exit: 2, retryable: false },
  audit_failed: { status: 503, exit: 1, retryable: false },
  audit_broken: { status: 500, exit: 5, retryable: false },
  app_backup_failed: { status: 503, exit: 1, retryable: false },
  runner_lost: { status: 500, exit: 1, retryable: true },
  lease_lost: { status: 409, exit: 1, retryable: false },

  job_interrupted: { status: 503, exit: 1, retryable: true },
  job_timed_out: { status: 504, exit: 1, retryable: true },
  job_too_late: { status: 409, exit: 1, retryable: false },
  quota_reached: { status: 507, exit: 1, retryable: false },
  hook_failed: { status: 502, exit: 1, retryable: false },
  hook_skipped: { status: 409, exit: 1, retryable: false },
  run_failed: { status: 502, exit: 1, retryable: false },
  run_partial: { status: 502, exit: 3, retryable: false },

  target_protected: { status: 403, exit: 1, retryable: false },
  confirmation_needed: { status: 422, exit: 2, retryable: false },
  restore_skipped: { status: 409, exit: 1, retryable: false },
  sql_failed: { status: 422, exit: 1, retryable: false },
  restore_mismatch: { status: 422, exit: 5, retryable: false },
  disk_too_small: { status: 507, exit: 1, retryable: false },
  internal: { status: 500, exit: 1, retryable: false },
} as const satisfies Record<string, { status: number; exit: number; retryable: boolean }>

export type ErrorCode = keyof typeof errors

export interface FieldError {
  field: string
  message: string
}

export interface ErrorDetails {
  /** What the reader can do next. */
  hint?: string
  cause?: unknown
  /** What is wrong with which field of the input; nested ones like `connection.host`. */
  fields?: readonly FieldError[]
  /** For what a certain case knows better than its code, for instance a 503 that says “slow down”. */
  retryable?: boolean
  /** How many seconds to wait before another try. */
  retryAfter?: number
  /** Whatever another try would find, this must be told: a job that ends with it is not tried again. */
  isFinal?: boolean
}

/** An error for a person (the sentence and the hint) and for a program (the code). */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly fields: readonly FieldError[] | undefined
  readonly retryable: boolean
  readonly isFinal: boolean
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, sentence: string, details: ErrorDetails = {}) {
    super(sentence, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.fields = details.fields
    this.retryable = details.retryable ?? errors[code].retryable
    this.isFinal = details.isFinal ?? false
    this.retryAfter = details.retryAfter
  }

  get status(): number {
    return errors[this.code].status
  }

  get exitCode(): number {
    return errors[this.code].exit
  }
}

/** What was thrown, as an AppError: as it is if it is one, else `internal` with the original as its cause. */
export function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal', messageOf(thrown), { cause: thrown })
}

/** One line that describes anything thrown; never empty. An AggregateError speaks through its first member. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0 && !thrown.message) {
    return messageOf(thrown.errors[0])
  }
  if (thrown instanceof Error) return thrown.message || thrown.name
  return String(thrown)
}

/** For where only an expression fits: `found ?? throwNow(notThere())`. */
export function throwNow(error: Error): never {
  throw error
}
