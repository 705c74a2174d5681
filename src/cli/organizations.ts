import { Command } from 'commander'
import type { MergedOrganization, Organization, OrganizationLosses } from '../shared/organizations.ts'
import { formatBytes } from '../shared/units.ts'
import { listOf, type Things } from './named-things.ts'
import { word } from './parse.ts'
import { type Named, named, type Remote, remote } from './remote.ts'
import { note, print, printJson } from './terminal.ts'

const organizationThings: Things<Organization> = {
  list: 'GET /api/v1/organizations',
  one: 'organization',
  many: 'organizations',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    'MEMBERS ': ({ members }) => String(members),
    'SERVERS ': ({ servers }) => String(servers),
  },
}

interface JsonOption {
  json?: boolean
}

export const organizations = new Command('organizations')
  .description('What owns servers, plans, volumes and snapshots; for those who administer the instance')
  .addCommand(listOf(organizationThings).alias('list'))
  .addCommand(
    new Command('add')
      .description('Add an organization')
      .argument('<name>', 'what people call it')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: JsonOption) => {
        const app = await remote()
        const added = await app.ask('POST /api/v1/organizations', { body: { name } })
        if (json) return printJson(added)
        print(`Added organization “${added.name}” (${added.id}).`)
      }),
  )
  .addCommand(
    new Command('rename')
      .description('Give an organization another name')
      .argument('<name>', 'its name or id')
      .argument('<new name>', 'what people call it from now on')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, newName: string, { json }: JsonOption) => {
        const app = await remote()
        const { id } = await organizationNamed(app, name)
        const params = { id }
        const renamed = await app.ask('PATCH /api/v1/organizations/{id}', { params, body: { name: newName } })
        if (json) return printJson(renamed)
        print(`It is “${renamed.name}” now.`)
      }),
  )
  .addCommand(
    new Command('losses')
      .description('Show exactly what would be lost with an organization')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: JsonOption) => {
        const app = await remote()
        const { id } = await organizationNamed(app, name)
        const losses = await app.ask('GET /api/v1/organizations/{id}/losses', { params: { id } })
        if (json) return printJson(losses)
        for (const line of lossesInWords(losses)) print(line)
        for (const obstacle of losses.obstacles) note(`It cannot be deleted now: ${obstacle}`)
      }),
  )
  .addCommand(
    new Command('rm')
      .alias('delete')
      .description('Delete an organization; what lies on its volumes stays there')
      .argument('<name>', 'its name or id')
      .option('--confirm <name>', 'its name, once more', word('--confirm'))
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { confirm, json }: JsonOption & { confirm?: string }) => {
        const app = await remote()
        const { id, name: found } = await organizationNamed(app, name)
        const query = { confirmation: confirm }
        const lost = await app.ask('DELETE /api/v1/organizations/{id}', { params: { id }, query })
        if (json) return printJson(lost)
        print(`Deleted organization “${found}”, and with it:`)
        for (const line of lossesInWords(lost)) print(line)
      }),
  )
  .addCommand(
    new Command('merge')
      .description('Move everything of an organization into another one')
      .argument('<name>', 'the one that goes: its name or id')
      .requiredOption('--into <name>', 'the one that stays: its name or id', word('--into'))
      .option('--confirm <name>', 'the name of the one that goes, once more', word('--confirm'))
      .option('--dry-run', 'only say what would happen')
      .option('--json', 'print the result as JSON')
      .action(merge),
  )

interface MergeOptions extends JsonOption {
  into: string
  confirm?: string
  dryRun?: boolean
}

async function merge(name: string, { into, confirm, dryRun, json }: MergeOptions): Promise<void> {
  const app = await remote()
  const [source, target] = [await organizationNamed(app, name), await organizationNamed(app, into)]
  const body = { into: target.id, confirmation: confirm, dryRun: dryRun ?? false }
  const merged = await app.ask('POST /api/v1/organizations/{id}/merge', { params: { id: source.id }, body })
  if (json) return printJson(merged)
  print(
    merged.isDone
      ? `Everything of “${source.name}” is in “${target.name}” now.`
      : `This would move everything of “${source.name}” into “${target.name}”. Nothing was changed.`,
  )
  for (const line of mergeInWords(merged)) print(line)
  for (const obstacle of merged.obstacles) note(`It cannot be done now: ${obstacle}`)
}

async function organizationNamed(app: Remote, name: string): Promise<Named> {
  return await named(app, organizationThings.list, organizationThings.one, name)
}

function lossesInWords(losses: OrganizationLosses): string[] {
  const kinds: [string, readonly string[]][] = [
    ['servers', losses.servers],
    ['plans', losses.plans],
    ['schedules', losses.schedules],
    ['scheduled restores', losses.scheduledRestores],
    ['keys', losses.keys],
    ['channels', losses.channels],
    ['notification rules', losses.notificationRules],
    ['hooks', losses.hooks],
    ['roles', losses.roles],
    ['tokens', losses.tokens],
    ['open invitations', losses.invitations],
    ['members who are in no other', losses.membersWithout.map(({ email }) => email)],
  ]
  return [
    `  snapshots in the catalogue: ${losses.snapshots}`,
    ...losses.volumes.map(
      ({ name, location, copies, bytes }) =>
        `  volume “${name}”: ${copies} copies, ${formatBytes(bytes)}, which stay at ${location ?? 'their place'}`,
    ),
    ...kinds.filter(([, names]) => names.length > 0).map(([kind, names]) => `  ${kind}: ${names.join(', ')}`),
    `  jobs in its history: ${losses.jobs}`,
    ...losses.warnings.map((warning) => `  ${warning}`),
  ]
}

/** `notificationRules`, as the API has it, in words. */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function mergeInWords({
  moved,
  renamed,
  unitedRoles,
  changedRoles,
  differentSettings,
  alreadyMembers,
  dropped,
}: MergedOrganization): string[] {
  const counts = Object.entries(moved).filter(([, count]) => count > 0)
  return [
    `  moved: ${counts.map(([what, count]) => `${count} ${wordsOf(what)}`).join(', ') || 'nothing'}`,
    ...renamed.map(({ what, from, to }) => `  renamed: ${what} “${from}” is “${to}”`),
    ...(unitedRoles.length > 0 ? [`  the same role in both: ${unitedRoles.join(', ')}`] : []),
    ...changedRoles.map(
      ({ name, to }) => `  limited anew, to the same servers: role ${name}: ${JSON.stringify(to)}`,
    ),
    ...differentSettings.map(
      ({ name, from, into }) =>
        `  a setting that becomes another: ${name} is ${JSON.stringify(into)}, was ${JSON.stringify(from)}`,
    ),
    ...alreadyMembers.map(({ email }) => `  ${email} is a member of both, and keeps the role there`),
    ...dropped.map((what) => `  does not come along: ${what}`),
  ]
}
