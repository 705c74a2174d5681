import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { AppError, throwNow } from '../../shared/errors.ts'
import type {
  NewNotificationRule,
  NotificationRuleChanges,
  ServerChoice,
} from '../../shared/notifications.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { InputFaults } from '../input-faults.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import {
  channelOwners,
  deleteRule,
  findRule,
  insertRule,
  type RuleRow,
  serversAmong,
  updateRule,
} from './store.ts'

/** Throws `not_found`. */
export async function ruleOf({ store }: AppContext, organizationId: string, id: string): Promise<RuleRow> {
  return (await findRule(store.db, organizationId, id)) ?? throwNow(noRule())
}

/** Throws `invalid_input` where a server or a channel is not there, and `name_taken`. */
export async function addRule(
  { store }: AppContext,
  organizationId: string,
  rule: NewNotificationRule,
): Promise<RuleRow> {
  return await savingName(store, 'notification rule', rule.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdWhatItNames(trx, organizationId, rule)
      return await insertRule(store, trx, organizationId, { id: uuidv7(), ...valuesOf(rule) })
    }),
  )
}

/** Changes what is given. Throws `not_found`, `changed_meanwhile`, and what adding throws. */
export async function changeRule(
  { store }: AppContext,
  organizationId: string,
  id: string,
  changes: NotificationRuleChanges,
  revision: number | undefined,
): Promise<RuleRow> {
  return await savingName(store, 'notification rule', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdWhatItNames(trx, organizationId, changes)
      const found = (await findRule(trx, organizationId, id)) ?? throwNow(noRule())
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The rule')
      const values = valuesOf({ ...readRule(found), ...changes })
      return (await updateRule(store, trx, found, values)) ?? throwNow(changedMeanwhile('The rule'))
    }),
  )
}

/** Throws `not_found`. */
export async function removeRule({ store }: AppContext, organizationId: string, id: string): Promise<void> {
  if (!(await deleteRule(store.db, organizationId, id))) throw noRule()
}

/** The rule as it was given. */
export function readRule({ name, isEnabled, events, servers, channels }: RuleRow): NewNotificationRule {
  return {
    name,
    isEnabled: isEnabled === 1,
    events: JSON.parse(events) as NewNotificationRule['events'],
    servers: JSON.parse(servers) as ServerChoice,
    channels: channels === null ? null : (JSON.parse(channels) as string[]),
  }
}

function valuesOf({ name, isEnabled, events, servers, channels }: NewNotificationRule) {
  return {
    name,
    isEnabled: Number(isEnabled),
    events: JSON.stringify(events),
    servers: JSON.stringify(servers),
    channels: channels === null ? null : JSON.stringify(channels),
  }
}

/**
 * Lets nobody delete a channel, or stop sharing it, that the rule is about to name. Throws `invalid_input` for what is
 * not there.
 */
async function holdWhatItNames(
  trx: Transaction<Tables>,
  organizationId: string,
  { servers, channels }: NotificationRuleChanges,
): Promise<void> {
  const channelIds = channels ?? []
  const owners = new Set((await channelOwners(trx, organizationId, channelIds)).values())
  // In one order, so that nobody waits for whoever waits for him.
  for (const id of [...owners.add(organizationId)].sort()) await holdOrganization(trx, id)
  const faults = new InputFaults()
  const known = await channelOwners(trx, organizationId, channelIds)
  for (const [i, id] of channelIds.entries()) {
    if (!known.has(id)) faults.add(`channels.${i}`, 'There is no such channel.')
  }
  const serverIds = servers && 'ids' in servers ? servers.ids : []
  const present = new Set(await serversAmong(trx, organizationId, serverIds))
  for (const [i, id] of serverIds.entries()) {
    if (!present.has(id)) faults.add(`servers.ids.${i}`, 'There is no such server.')
  }
  faults.throwIfAny()
}

function noRule(): AppError {
  return new AppError('not_found', 'There is no such notification rule.')
}
