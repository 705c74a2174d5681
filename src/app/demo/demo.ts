import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { makeFolders } from '../../lib/make-folders.ts'
import type { Ability } from '../../shared/abilities.ts'
import { newPlan } from '../../shared/plans.ts'
import { newSchedule } from '../../shared/schedules.ts'
import { newServer } from '../../shared/servers.ts'
import type { AppContext } from '../context.ts'
import { listOrganizations, makeOrganization } from '../organizations/organizations.ts'
import { prepareOrganization } from '../organizations/prepare.ts'
import { addPlan } from '../plans/plans.ts'
import { runNow } from '../plans/run-now.ts'
import { addSchedule } from '../schedules/schedules.ts'
import { addServer } from '../servers/servers.ts'
import { hashPassword } from '../sign-in/passwords.ts'
import { DEMO_EMAIL, DEMO_PASSWORD } from './account.ts'
import { makeSample } from './sample.ts'
import { findDemoUser, firstVolume, hasPlans, insertDemoUser, setDemoUser } from './store.ts'

/** Looks at everything, starts backups, and changes nothing else. */
const abilities: readonly Ability[] = ['view', 'run-backups', 'download-snapshots']

const ORGANIZATION = 'Demo'

const samples = [
  { name: 'Sample shop', file: 'shop.db', labels: { env: 'production' } },
  { name: 'Sample staging', file: 'staging.db', labels: { env: 'staging' } },
] as const

/**
 * For a demonstration: an account that everybody may sign in to and that changes next to nothing, in an organization of
 * its own, with sample servers and a plan for each. What is there already stays as it is. Returns what whoever started the
 * app must know.
 */
export async function prepareDemo(context: AppContext): Promise<string[]> {
  const { store } = context
  const organizationId = await demoOrganization(context)
  if (!(await findDemoUser(store.db, DEMO_EMAIL))) {
    const passwordHash = await hashPassword(DEMO_PASSWORD)
    await store.db.transaction().execute(async (trx) => {
      // Others may start now, too.
      if (await findDemoUser(trx, DEMO_EMAIL)) return
      const user = { email: DEMO_EMAIL, passwordHash, roleId: uuidv7(), abilities }
      await insertDemoUser(store, trx, organizationId, user)
    })
  }
  await setDemoUser(store, DEMO_EMAIL, false)
  await makeSamples(context, organizationId)
  return [
    `This is a demonstration: everybody may sign in as ${DEMO_EMAIL} with the password ${DEMO_PASSWORD}, look around in the organization “${ORGANIZATION}”, and start backups there.`,
  ]
}

/** Where this is no demonstration any more, nobody signs in with a password that everybody knows. */
export async function endDemo({ store }: AppContext): Promise<void> {
  await setDemoUser(store, DEMO_EMAIL, true)
}

async function demoOrganization(context: AppContext): Promise<string> {
  const { store } = context
  const find = async () => (await listOrganizations(store)).find(({ name }) => name === ORGANIZATION)?.id
  const known = await find()
  if (known !== undefined) return known
  try {
    const id = await store.db.transaction().execute((trx) => makeOrganization(store, trx, ORGANIZATION))
    await prepareOrganization(context, id)
    return id
  } catch (error) {
    // Another node was faster.
    const made = store.isUniqueViolation(error) ? await find() : undefined
    if (made === undefined) throw error
    return made
  }
}

async function makeSamples(context: AppContext, organizationId: string): Promise<void> {
  const folder = join(context.dataDirectory, 'demo')
  await makeFolders(folder, 0o700)
  for (const { file } of samples) {
    const path = join(folder, file)
    if (!existsSync(path)) makeSample(path)
  }
  const volumeId = await firstVolume(context.store, organizationId)
  if (volumeId === undefined || (await hasPlans(context.store, organizationId))) return
  const hourly = newSchedule.parse({ name: 'Every hour', rule: { type: 'cron', expression: '0 * * * *' } })
  const schedule = await addSchedule(context, organizationId, hourly)
  for (const { name, file, labels } of samples) {
    const connection = { path: join(folder, file) }
    const server = await addServer(
      context,
      organizationId,
      newServer.parse({ name, engine: 'sqlite', connection, labels }),
    )
    const plan = await addPlan(
      context,
      organizationId,
      newPlan.parse({
        serverId: server.id,
        name: `${name}, every hour`,
        schedules: [schedule.id],
        volumes: [{ id: volumeId }],
        retention: { keepLast: 24 },
      }),
    )
    await runNow(context, organizationId, plan.id, { trigger: 'manual', wait: false }, async () => {})
  }
}
