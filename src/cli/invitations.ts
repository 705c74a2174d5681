import { Command } from 'commander'
import { AppError } from '../shared/errors.ts'
import type { CreatedInvitation, Invitation } from '../shared/invitations.ts'
import { localTime, printTable } from './named-things.ts'
import { word } from './parse.ts'
import { named, type Remote, remote } from './remote.ts'
import { roleThings } from './roles.ts'
import { note, print, printJson } from './terminal.ts'

const LIST = 'GET /api/v1/invitations'

const columns = {
  ID: ({ id }: Invitation) => id,
  EMAIL: ({ email }: Invitation) => email,
  ROLE: ({ role }: Invitation) => role.name,
  'INVITED BY': ({ invitedBy }: Invitation) => invitedBy?.name ?? '-',
  UNTIL: ({ expiresAt }: Invitation) => localTime(expiresAt),
  STATE: ({ state }: Invitation) => state,
}

interface JsonOption {
  json?: boolean
}

export const invitations = new Command('invitations')
  .description('Links by which people become members')
  .addCommand(
    new Command('ls')
      .alias('list')
      .description('List the invitations')
      .option('--json', 'print the result as JSON')
      .action(async ({ json }: JsonOption) => {
        const items = await (await remote()).all(LIST)
        printTable(items, columns, { json, none: 'There are no invitations yet.' })
      }),
  )
  .addCommand(
    new Command('add')
      .description('Invite somebody: the link is printed this once, and mailed where a mail server is set')
      .argument('<e-mail>', 'of whom')
      .requiredOption('--role <name>', 'what they may do: the name or id of a role', word('--role'))
      .option('--json', 'print the result as JSON')
      .action(async (email: string, { role, json }: JsonOption & { role: string }) => {
        const app = await remote()
        const { id: roleId } = await named(app, roleThings.list, roleThings.one, role)
        printLink(await app.ask('POST /api/v1/invitations', { body: { email, roleId } }), json)
      }),
  )
  .addCommand(
    new Command('renew')
      .description('Make another link, in the place of the one before')
      .argument('<e-mail>', 'of whom, or the id of the invitation')
      .option('--json', 'print the result as JSON')
      .action(async (email: string, { json }: JsonOption) => {
        const app = await remote()
        const { id } = await invitationOf(app, email)
        printLink(await app.ask('POST /api/v1/invitations/{id}/renew', { params: { id } }), json)
      }),
  )
  .addCommand(
    new Command('rm')
      .alias('delete')
      .description('Take an invitation back')
      .argument('<e-mail>', 'of whom, or the id of the invitation')
      .option('--json', 'print the result as JSON')
      .action(async (email: string, { json }: JsonOption) => {
        const app = await remote()
        const { id, email: found } = await invitationOf(app, email)
        await app.ask('DELETE /api/v1/invitations/{id}', { params: { id } })
        if (json) return printJson({ deleted: id })
        print(`Nobody can accept the invitation of ${found} any more.`)
      }),
  )

/** The link alone goes to standard output, for whoever passes it on. */
function printLink(invited: CreatedInvitation, json: boolean | undefined): void {
  if (json) return printJson(invited)
  const { email, link, mailed, mailError, expiresAt } = invited
  note(
    `The invitation of ${email}, until ${localTime(expiresAt)}; the link works once, and is shown this once:`,
  )
  print(link)
  if (mailed) note('It was mailed, too.')
  if (mailError) note(`warning: It could not be mailed: ${mailError.message}`)
}

async function invitationOf(app: Remote, emailOrId: string): Promise<Invitation> {
  const all = await app.all(LIST)
  const found = all.filter(({ id, email }) => id === emailOrId || email === emailOrId.toLowerCase())
  const invitation = found.find(({ state }) => state !== 'accepted') ?? found[0]
  if (invitation) return invitation
  throw new AppError('not_found', `Nobody invited “${emailOrId}”.`, {
    hint: 'See: holdfast invitations ls',
  })
}
