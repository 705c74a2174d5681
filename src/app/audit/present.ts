import type { AuditActor, AuditEntry, AuditTarget } from '../../shared/audit.ts'
import type { AuditRow } from './store.ts'

export function present(row: AuditRow): AuditEntry {
  const { number, id, organizationId, at, action, outcome, actor, address, target, details, hash } = row
  return {
    number,
    id,
    organizationId,
    at: new Date(at).toISOString(),
    action,
    outcome,
    actor: JSON.parse(actor) as AuditActor,
    address,
    target: target === null ? null : (JSON.parse(target) as AuditTarget),
    details: JSON.parse(details) as Record<string, unknown>,
    hash,
  }
}
