import { AppError } from '../../src/shared/errors.ts'

const ways: Readonly<Record<string, string>> = {
  not_signed_in: '/sign-in',
  second_factor_required: '/second-factor',
}

/** The page to which a refusal leads that is about how somebody has signed in; undefined for every other error. */
export function wayIn(error: unknown): string | undefined {
  return error instanceof AppError ? ways[error.code] : undefined
}
