import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { type ChannelKind, channels, openChannel } from '../../channels/index.ts'
import type { Channel, ChannelDriver } from '../../channels/channel.ts'
import type { ChannelChanges, ChannelTrial, NewChannel } from '../../shared/channels.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { EventName } from '../../shared/notifications.ts'
import { setCapacity } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { holdOrganization } from '../hold.ts'
import { mailOf } from '../instance-settings/instance-settings.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openSettings, sealSettings, type Settings } from '../secrets.ts'
import { usersInWords } from '../users.ts'
import {
  type ChannelRow,
  deleteChannel,
  findChannel,
  insertChannel,
  openChannelsOfKinds,
  rulesNaming,
  updateChannel,
} from './store.ts'

export { type ChannelRow, openChannelsOf } from './store.ts'

/** For receivers that wait for the good news. */
const kindsForAll = Object.entries<ChannelDriver>(channels)
  .filter(([, { wants }]) => wants === 'all severities')
  .map(([kind]) => kind)

/** One notice behind the other; and a receiver that hangs takes no more than one place. */
const AT_ONCE = 1
const PLACE = { name: 'settings', owner: 'this kind of channel' }

/** What the deliveries to a channel share. */
export function channelResource(id: string): string {
  return `channel:${id}`
}

/** Whether the last delivery could not be made. */
export function isFailing({
  lastFailedAt,
  lastDeliveredAt,
}: Pick<ChannelRow, 'lastFailedAt' | 'lastDeliveredAt'>): boolean {
  return lastFailedAt !== null && lastFailedAt >= (lastDeliveredAt ?? 0)
}

/** Throws `not_found`. */
export async function channelOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<ChannelRow> {
  return ownedBy(organizationId, await findChannel(store.db, id))
}

/** Adds a channel. Throws `invalid_input` with the wrong fields of its settings, and `name_taken`. */
export async function addChannel(
  context: AppContext,
  organizationId: string,
  { kind, name, settings: given, isEnabled, isShared }: NewChannel,
): Promise<ChannelRow> {
  const { store } = context
  const id = uuidv7()
  const settings = seal(context, { id, kind }, parseSettings(schemaOf(kind), given, PLACE))
  return await savingName(store, 'channel', name, () =>
    store.db.transaction().execute(async (trx) => {
      await setCapacity(trx, channelResource(id), AT_ONCE)
      return await insertChannel(store, trx, {
        id,
        organizationId,
        kind,
        name,
        settings,
        isEnabled: Number(isEnabled),
        isShared: Number(isShared),
      })
    }),
  )
}

/**
 * Changes what is given. Throws `not_found`, `changed_meanwhile`, `in_use` if it is not to be shared any more and rules of
 * other organizations name it, and what adding throws.
 */
export async function changeChannel(
  context: AppContext,
  organizationId: string,
  id: string,
  { settings: submitted, ...changes }: ChannelChanges,
  revision: number | undefined,
): Promise<ChannelRow> {
  const { store } = context
  return await savingName(store, 'channel', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdOrganization(trx, organizationId)
      const found = ownedBy(organizationId, await findChannel(trx, id))
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The channel')
      if (changes.isShared === false && found.isShared === 1) await refuseUse(trx, found, 'elsewhere')
      const settings = submitted ? seal(context, found, merge(context, found, submitted)) : found.settings
      const name = changes.name ?? found.name
      const isEnabled = Number(changes.isEnabled ?? found.isEnabled)
      const isShared = Number(changes.isShared ?? found.isShared)
      const changed = await updateChannel(store, trx, found, { name, settings, isEnabled, isShared })
      return changed ?? throwNow(changedMeanwhile('The channel'))
    }),
  )
}

/** Throws `not_found`, and `in_use` with the names of the rules that name it. */
export async function removeChannel(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    await refuseUse(trx, ownedBy(organizationId, await findChannel(trx, id)), 'anywhere')
    await deleteChannel(trx, id)
  })
}

/** Those of the organization that are told of everything about backups, unless a rule names them. */
export async function channelsForAll(
  trx: Transaction<Tables>,
  organizationId: string,
  event: EventName,
): Promise<{ id: string; kind: string }[]> {
  const isWanted = event.startsWith('backup.') && kindsForAll.length > 0
  return isWanted ? await openChannelsOfKinds(trx, organizationId, kindsForAll) : []
}

/** Whether a channel of this kind waits for each single end, also where people would have heard enough. */
export function hearsEach(kind: string): boolean {
  return kindsForAll.includes(kind)
}

/** Settings that nobody has saved, complete. Throws `invalid_input`, and `not_found` for the channel they are of. */
export async function trialSettings(
  context: AppContext,
  organizationId: string,
  { kind, settings: submitted, channelId }: ChannelTrial,
): Promise<Settings> {
  const stored = channelId === undefined ? undefined : await channelOf(context, organizationId, channelId)
  return stored?.kind === kind
    ? merge(context, stored, submitted)
    : parseSettings(schemaOf(kind), submitted, PLACE)
}

/** Throws what the kind says where something is not configured that it needs. A message may take so many milliseconds. */
export async function openWith(
  context: AppContext,
  kind: string,
  settings: Settings,
  timeout: number,
): Promise<Channel> {
  return openChannel(kindNamed(kind), settings, { timeout, mail: () => mailOf(context) })
}

/** The settings of a channel with its secrets in the clear, as they were stored: the schema may have changed since. */
export function settingsOf({ sealer }: Pick<AppContext, 'sealer'>, row: ChannelRow): Settings {
  return openSettings(schemaOf(row.kind), JSON.parse(row.settings) as Settings, sealer, placeOf(row.id))
}

/** Throws `invalid_input` if there is no such kind. */
export function schemaOf(kind: string): z.ZodType {
  return channels[kindNamed(kind)].config
}

function kindNamed(kind: string): ChannelKind {
  if (Object.hasOwn(channels, kind)) return kind as ChannelKind
  const message = `must be one of ${Object.keys(channels).join(', ')}`
  throw new AppError('invalid_input', `kind: ${message}`, { fields: [{ field: 'kind', message }] })
}

function merge(context: AppContext, found: ChannelRow, submitted: Settings): Settings {
  return changeSettings(schemaOf(found.kind), settingsOf(context, found), submitted, PLACE)
}

function seal(
  { sealer }: AppContext,
  { id, kind }: Pick<ChannelRow, 'id' | 'kind'>,
  settings: Settings,
): string {
  return JSON.stringify(sealSettings(schemaOf(kind), settings, sealer, placeOf(id)))
}

/** The place that secrets are sealed for. */
function placeOf(id: string): string {
  return `channels/${id}/settings`
}

/** Throws `in_use` if rules name it: those of any organization, or only of others. */
async function refuseUse(
  trx: Transaction<Tables>,
  { id, name, organizationId }: ChannelRow,
  where: 'anywhere' | 'elsewhere',
): Promise<void> {
  const rules = await rulesNaming(trx, id)
  const own = rules.filter((rule) => rule.organizationId === organizationId)
  const others = rules.length - own.length
  const users = usersInWords([
    { what: 'notification rule', names: where === 'anywhere' ? own.map(({ name }) => name) : [] },
  ])
  // Their names are none of our business.
  const foreign = `${others === 1 ? 'a rule' : `${others} rules`} of other organizations`
  const all = [users ?? [], others > 0 ? foreign : []].flat()
  if (all.length === 0) return
  throw new AppError('in_use', `The channel “${name}” is used by ${all.join(', and by ')}.`, {
    hint: 'Take it out of the rules first, or disable it.',
  })
}

function ownedBy(organizationId: string, row: ChannelRow | undefined): ChannelRow {
  if (row?.organizationId === organizationId) return row
  throw new AppError('not_found', 'There is no such channel.')
}
