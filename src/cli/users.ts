import { Command } from 'commander'
import { readConfiguration } from '../app/configuration.ts'
import type { UserInList } from '../app/sign-in/at-the-machine.ts'
import { AppError } from '../shared/errors.ts'
import type { Store } from '../store/database.ts'
import { word } from './parse.ts'
import { askForPassword } from './password.ts'
import { note, print, printJson, table } from './terminal.ts'
import { readTextFile } from './text-file.ts'

const BESIDE = `
It opens the app’s store itself, so it needs the environment and the user of the app, and no token. The app may run
meanwhile.`
const PASSWORD = `
The password is asked for, without being shown; or it is the first line of --password-file, which is - for standard input.`

const ls = new Command('ls')
  .alias('list')
  .description('List who has an account')
  .option('--json', 'print the result as JSON')
  .addHelpText('after', BESIDE)
  .action(async ({ json }: { json?: boolean }) => {
    const app = await import('../app/sign-in/at-the-machine.ts')
    await using opened = await open()
    const users = await app.listUsers(opened.store)
    if (json) return printJson({ items: users })
    if (users.length === 0) return print('Nobody has an account yet.')
    print(table(['E-MAIL', 'NAME', 'ORGANIZATIONS', 'SIGNS IN WITH', ''], users.map(rowOf)))
  })

const add = new Command('add')
  .description('Make an account, on the machine of the app')
  .argument('<e-mail>', 'what its user signs in with')
  .requiredOption('--name <name>', 'what its user is called', word('--name', 100))
  .option(
    '--organization <name>',
    'where the user is a member, where there are several',
    word('--organization'),
  )
  .option('--role <name>', 'what the user may do there', word('--role', 100), 'Member')
  .option('--instance-administrator', 'who administers the instance, and may do everything')
  .option('--password-file <path>', 'what holds the password', word('--password-file'))
  .option('--json', 'print the result as JSON')
  .addHelpText('after', PASSWORD + BESIDE)
  .action(
    async (
      email: string,
      options: {
        name: string
        organization?: string
        role: string
        instanceAdministrator?: boolean
        passwordFile?: string
        json?: boolean
      },
    ) => {
      const app = await import('../app/sign-in/at-the-machine.ts')
      await using opened = await open()
      const password = await passwordFrom(options.passwordFile)
      const added = await app.addUserHere(opened.store, {
        email,
        name: options.name,
        organization: options.organization,
        role: options.role,
        isInstanceAdministrator: options.instanceAdministrator === true,
        password,
      })
      if (options.json) return printJson(added)
      print(`${added.email} has an account, and is “${added.role}” of “${added.organization}”.`)
    },
  )

const resetPassword = new Command('reset-password')
  .description(
    'Let somebody in again: with another password, or a link to sign in with, on the machine of the app',
  )
  .argument('<e-mail>', 'whose account it is')
  .option('--link', 'print a link that signs in, once, within ten minutes; the password stays')
  .option('--password-file <path>', 'what holds the password', word('--password-file'))
  .option('--enable', 'if the account is disabled, it is not any more')
  .option('--without-second-factor', 'remove the second factor of who has lost it')
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `${PASSWORD}
All sessions of the account end. Where passwords are switched off, a link is printed: it signs in all the same.${BESIDE}`,
  )
  .action(
    async (
      email: string,
      options: {
        link?: boolean
        passwordFile?: string
        enable?: boolean
        withoutSecondFactor?: boolean
        json?: boolean
      },
    ) => {
      if (options.link && options.passwordFile !== undefined) {
        throw new AppError('invalid_input', '--link and --password-file exclude each other.')
      }
      const app = await import('../app/sign-in/at-the-machine.ts')
      await using opened = await open()
      const { store, configuration } = opened
      const needsLink = options.link === true || !(await app.hasPasswordSignIn(store))
      if (needsLink && !options.link) note('Passwords are switched off: a link is made instead.')
      const user = await app.userHere(store, email)
      const password = needsLink ? undefined : await passwordFrom(options.passwordFile)
      const done = await app.letIn(store, user, {
        password,
        isEnabled: options.enable === true,
        withoutSecondFactor: options.withoutSecondFactor === true,
      })
      const link = done.token === undefined ? undefined : app.signInLinkTo(configuration, done.token)
      for (const warning of done.warnings) note(`warning: ${warning}`)
      if (options.json) return printJson({ email: user.email, link: link ?? null, warnings: done.warnings })
      if (link === undefined) return print(`${user.email} has a new password, and is signed out everywhere.`)
      note(`The link signs in as ${user.email}, once, within ten minutes:`)
      print(link)
    },
  )

export const users = new Command('users')
  .description('Who has an account: on the machine of the app, without signing in')
  .addCommand(ls)
  .addCommand(add)
  .addCommand(resetPassword)

async function open() {
  const { openExistingStore } = await import('../app/existing-store.ts')
  const { configuration, warnings } = readConfiguration(process.env)
  for (const warning of warnings) note(`warning: ${warning}`)
  const store: Store = await openExistingStore(configuration.store)
  return { store, configuration, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

async function passwordFrom(path: string | undefined): Promise<string> {
  if (path === undefined) return await askForPassword()
  const [line = ''] = (await readTextFile(path)).split(/\r?\n/)
  return line
}

function rowOf(user: UserInList): string[] {
  const ways = [
    ...(user.hasPassword ? ['password'] : []),
    ...(user.hasSecondFactor ? ['second factor'] : []),
    ...(user.passkeys > 0 ? ['passkey'] : []),
    ...user.providers,
  ]
  const marks = [
    ...(user.isInstanceAdministrator ? ['instance administrator'] : []),
    ...(user.isDisabled ? ['disabled'] : []),
  ]
  const member = user.organizations.map(({ name, role }) => `${name} (${role})`)
  return [user.email, user.name, member.join(', '), ways.join(', '), marks.join(', ')]
}
