import type { Transaction } from 'kysely'
import type { OrganizationLosses } from '../../shared/organizations.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { locationOf } from '../volumes/place.ts'
import { allVolumes } from '../volumes/volumes.ts'
import {
  channelsUsedElsewhere,
  countEncrypted,
  countIn,
  countOrganizations,
  membersOfNoOther,
  namesIn,
  type NamedTable,
  openInvitationsOf,
  providersInto,
  volumeUses,
} from './store.ts'

/** Exactly what is lost with an organization, and why it cannot be deleted as things are. */
export async function lossesOf(
  store: Store,
  trx: Transaction<Tables>,
  { id, name }: { id: string; name: string },
  runningJobs: number,
): Promise<OrganizationLosses> {
  const names = async (table: NamedTable | 'plans') =>
    (await namesIn(trx, table, id)).map((named) => named.name)
  const uses = await volumeUses(trx, id)
  const volumes = (await allVolumes(trx, id)).map((row) => {
    const { copies = 0, bytes = 0 } = uses.find((use) => use.id === row.id) ?? {}
    return { name: row.name, location: locationOf(row), copies, bytes }
  })
  return {
    organization: { id, name },
    servers: await names('servers'),
    plans: await names('plans'),
    schedules: await names('schedules'),
    scheduledRestores: await names('scheduledRestores'),
    volumes: volumes.sort((a, b) => (a.name < b.name ? -1 : 1)),
    snapshots: await countIn(trx, 'snapshots', id),
    keys: await names('encryptionKeys'),
    channels: await names('channels'),
    notificationRules: await names('notificationRules'),
    hooks: await names('hooks'),
    roles: await names('roles'),
    members: await countIn(trx, 'memberships', id),
    membersWithout: await membersOfNoOther(trx, id),
    tokens: await names('tokens'),
    invitations: await openInvitationsOf(store, trx, id),
    jobs: await countIn(trx, 'jobs', id),
    runningJobs,
    warnings: encryptedInWords(await countEncrypted(trx, id)),
    obstacles: [
      ...((await countOrganizations(trx)) === 1 ? ['It is the last organization.'] : []),
      ...runningJobsInWords(runningJobs),
      ...uses.flatMap(({ registrations }) =>
        registrations.map((one) => `The app backup registration “${one}” uses a volume of it.`),
      ),
      ...(await channelsUsedElsewhere(trx, id)).map(
        (one) => `Rules of other organizations use its channel “${one}”.`,
      ),
      ...(await providersInto(trx, id)).map(
        (one) => `The identity provider “${one.name}” gives roles in it.`,
      ),
    ],
  }
}

function encryptedInWords(snapshots: number): string[] {
  if (snapshots === 0) return []
  const which = snapshots === 1 ? 'One snapshot is' : `${snapshots} snapshots are`
  return [
    `${which} encrypted with keys of the organization: without their passwords, or the exported keys, nobody can read the copies any more.`,
  ]
}

export function runningJobsInWords(count: number): string[] {
  return count === 0 ? [] : [count === 1 ? 'A job of it is running.' : `${count} jobs of it are running.`]
}
