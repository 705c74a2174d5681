import type { TestStep } from '../../../src/shared/test-report.ts'
import { msg, type Translate } from '../i18n/i18n.ts'

/** What the tests of servers, volumes, channels and identity providers try, step by step, as the app calls it. */
const steps = new Set([
  msg('reach and sign in'),
  msg('encrypted'),
  msg('version'),
  msg('databases'),
  msg('privileges'),
  msg('tools'),
  msg('free space'),
  msg('list'),
  msg('write'),
  msg('read'),
  msg('read a range'),
  msg('keep what is there'),
  msg('keep the old when the new fails'),
  msg('remove'),
  msg('clean up'),
  msg('examine'),
  msg('clock'),
  msg('upload in parts'),
  msg('object lock'),
  msg('send a message'),
  msg('read its configuration'),
  msg('issuer'),
  msg('keys'),
  msg('scopes'),
  msg('mappings'),
  msg('redirect URL'),
])

export const outcomes: Record<TestStep['outcome'], string> = {
  ok: msg('ok'),
  warning: msg('warning'),
  failed: msg('failed'),
  skipped: msg('skipped'),
}

/** Some steps name what they are about, and stay as they are. */
export function stepText(t: Translate, step: string): string {
  return steps.has(step) ? t(step) : step
}
