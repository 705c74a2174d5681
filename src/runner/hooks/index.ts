import { AppError } from '../../shared/errors.ts'
import type { HookKind } from './hook.ts'
import { http } from './http.ts'
import { script } from './script.ts'
import { sql } from './sql.ts'

/** Every kind of hook. A new one is its file and its name here. */
export const hookKinds = { script, http, sql } satisfies Record<string, HookKind>

/** Throws `unsupported` for a name that is not in the list. */
export function hookKindNamed(name: string): HookKind {
  if (Object.hasOwn(hookKinds, name)) return hookKinds[name as keyof typeof hookKinds]
  throw new AppError('unsupported', `This release knows no hook of the kind “${name}”.`)
}
