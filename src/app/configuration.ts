import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { fromEnvironment, readNamedFile } from '../lib/environment.ts'
import { nearest } from '../lib/nearest.ts'
import { readKey } from '../lib/sealing.ts'
import { sevenzipPassword } from '../lib/sevenzip/index.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import {
  type AppBackupSchedule,
  type NewAppBackupSchedule,
  newAppBackupSchedule,
} from '../shared/app-backups.ts'
import { MOST_LOCAL_APP_BACKUPS, type Smtp } from '../shared/instance-settings.ts'
import { weekdays } from '../shared/schedules.ts'
import { emailAddress } from '../shared/sign-in.ts'

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof logLevels)[number]

/** What the environment says. It holds secrets; paths are absolute. */
export interface Configuration {
  /** The store, the local volume of the start, keys. It may not be there yet. */
  dataDirectory: string
  /** For tools that insist on files. */
  workDirectory: string
  /** For `openStore`. */
  store: { path: string } | { url: string }
  host: string
  port: number
  /** PEM. Without it, the app speaks HTTP. */
  tls: { certificate: string; key: string } | undefined
  /** Empty, or like `/backups`. */
  basePath: string
  /** Where the built page is; where the build puts it if undefined. */
  pageDirectory: string | undefined
  /** For links in mails: without a slash at its end. */
  appUrl: string | undefined
  /** Addresses, networks, and the names that Fastify knows for some; empty: the peer is the client. */
  trustedProxies: string[]
  /** The server that mail is handed to; undefined: the settings say it. */
  smtp: Smtp | undefined
  /** An identity provider that people sign in by; undefined: only those that are added in the app. */
  oidc: OidcOfEnvironment | undefined
  /** An IANA name. */
  timeZone: string
  log: { level: LogLevel; format: 'pretty' | 'json' }
  appKey: KeyObject | undefined
  previousAppKeys: KeyObject[]
  /** Values for a KeyRing's instanceKeys; without a current one, APP_KEY is it. */
  backupKey: string | undefined
  previousBackupKeys: string[]
  /** How the app's own database is backed up in folders, where that is not for the app's users to say. */
  managed: ManagedAppBackups | undefined
  /** Anybody may sign in and look around, with sample servers. */
  isDemo: boolean
  /** Migrates the store although no app backup can be made before. */
  skipsMigrationBackup: boolean
  /** Who gets the first account, as long as there is none. */
  administrator: { email: string; password: string } | undefined
  /** The Holdfast that the command line talks to. */
  remote: { url: string | undefined; token: string | undefined }
}

/** A provider of OpenID Connect. Roles and organizations are called by their names. */
export interface OidcOfEnvironment {
  name: string
  discoveryUrl: string
  clientId: string
  clientSecret: string | undefined
  /** Undefined: the usual ones. */
  scopes: string[] | undefined
  allowHttp: boolean
  autoCreate: boolean
  emailDomains: string[]
  claim: string | null
  mappings: ({ value: string } & NamedRole)[]
  defaultRole: NamedRole | undefined
  isStrict: boolean
}

/** The first organization, if none is named. */
export interface NamedRole {
  role: string
  organization: string | undefined
}

export interface ManagedAppBackups {
  /** Absolute, or relative to the data directory. */
  folder: string
  schedules: AppBackupSchedule[]
  /** How many each folder keeps; 0: all. */
  keep: number
}

const KEY_HINT = 'Make one with: echo "base64:$(openssl rand -base64 32)"'
/** Names that Fastify has for private networks. */
const networkNames = ['loopback', 'linklocal', 'uniquelocal']

/** Every variable that is read: from its text, or the text of the file that NAME_FILE names, to its value. */
const variables = z.object({
  HOLDFAST_DATA_DIR: variable((text) => resolve(text)).prefault('data'),
  HOLDFAST_WORK_DIR: variable((text) => resolve(text)).optional(),
  DATABASE_URL: variable(parseDatabaseUrl).optional(),
  HOLDFAST_HOST: variable(parseHost).prefault('127.0.0.1'),
  HOLDFAST_PORT: variable(parsePort).prefault('7300'),
  HOLDFAST_TLS_CERT: variable((text) => parsePem(text, parseCertificate)).optional(),
  HOLDFAST_TLS_KEY: variable((text) => parsePem(text, parsePrivateKey)).optional(),
  HOLDFAST_PAGE_DIR: variable((text) => resolve(text)).optional(),
  HOLDFAST_BASE_PATH: variable(parseBasePath).prefault('/'),
  APP_URL: variable(parseUrl).optional(),
  TRUSTED_PROXIES: variable((text) => listOf(text).map(parseProxy)).prefault(''),
  SMTP_URL: variable(parseSmtpUrl).optional(),
  MAIL_FROM: variable(parseSender).optional(),
  OIDC_ISSUER: variable(parseUrl).optional(),
  OIDC_DISCOVERY_URL: variable(parseUrl).optional(),
  OIDC_CLIENT_ID: variable((text) => text).optional(),
  OIDC_CLIENT_SECRET: variable((text) => text).optional(),
  OIDC_SCOPES: variable(parseScopes).optional(),
  OIDC_NAME: variable(parseName).prefault('Single sign-on'),
  OIDC_AUTO_CREATE: variable(parseFlag).prefault('0'),
  OIDC_EMAIL_DOMAINS: variable((text) => listOf(text.toLowerCase()).map(parseDomain)).prefault(''),
  OIDC_ROLE_CLAIM: variable((text) => text).optional(),
  OIDC_ROLE_MAP: variable((text) => listOf(text).map(parseRoleMapping)).prefault(''),
  OIDC_DEFAULT_ROLE: variable(parseNamedRole).optional(),
  OIDC_STRICT: variable(parseFlag).prefault('0'),
  OIDC_ALLOW_HTTP: variable(parseFlag).prefault('0'),
  HOLDFAST_TIMEZONE: variable(parseTimeZone).prefault('UTC'),
  LOG_LEVEL: variable((text) => oneOf(logLevels, text)).prefault('info'),
  LOG_FORMAT: variable((text) => oneOf(['pretty', 'json'] as const, text)).optional(),
  APP_KEY: variable(readKey).optional(),
  APP_PREVIOUS_KEYS: variable((text) => listOf(text).map(readKey)).prefault(''),
  BACKUP_ENCRYPTION_KEY: variable(parseBackupKey).optional(),
  BACKUP_PREVIOUS_ENCRYPTION_KEYS: variable((text) => listOf(text).map(parseBackupKey)).prefault(''),
  HOLDFAST_DEMO: variable(parseFlag).prefault('0'),
  HOLDFAST_MANAGED: variable(parseFlag).prefault('0'),
  HOLDFAST_APP_BACKUP_DIR: variable((text) => text).prefault('app-backups'),
  HOLDFAST_APP_BACKUP_SCHEDULE: variable(parseAppBackupSchedules).prefault('migration, daily 03:00'),
  HOLDFAST_APP_BACKUP_KEEP: variable(parseKeep).prefault('7'),
  HOLDFAST_SKIP_MIGRATION_BACKUP: variable(parseFlag).prefault('0'),
  HOLDFAST_ADMIN_EMAIL: variable(parseEmail).optional(),
  HOLDFAST_ADMIN_PASSWORD: variable((text) => text).optional(),
  HOLDFAST_URL: variable(parseUrl).optional(),
  HOLDFAST_TOKEN: variable(parseToken).optional(),
})

export const variableNames = Object.keys(variables.shape) as (keyof typeof variables.shape)[]

/** Read elsewhere (by the command line), or by a later release: no reason for a warning. */
const otherNames = [
  'HOLDFAST_AGE_IDENTITY',
  'HOLDFAST_AGE_PASSPHRASE',
  'HOLDFAST_AGENT_ALLOW_HOOKS',
  'HOLDFAST_AGENT_POLL_INTERVAL',
  'HOLDFAST_AGENT_TOKEN',
  'HOLDFAST_CHANNEL_SECRET',
  'HOLDFAST_DATABASE_PASSWORD',
  'HOLDFAST_DEBUG',
  'HOLDFAST_KEY_SECRET',
  'HOLDFAST_TARGET_DATABASE_URL',
  'HOLDFAST_TOOL_PATH',
  'HOLDFAST_VOLUME_PASSWORD',
  'HOLDFAST_VOLUME_PRIVATE_KEY',
  'HOLDFAST_VOLUME_PRIVATE_KEY_PASSPHRASE',
]

/**
 * Reads and checks the environment, all of it: throws one `configuration_invalid` whose message has a line for each
 * variable that is wrong, with what to do about it; secrets are never quoted. The warnings are sentences for the log.
 */
export function readConfiguration(
  environment: NodeJS.ProcessEnv,
  { isTerminal = process.stdout.isTTY, now = new Date() }: { isTerminal?: boolean; now?: Date } = {},
): { configuration: Configuration; warnings: string[] } {
  const problems: Problem[] = []
  const warnings: string[] = []
  const found = texts(environment, problems, warnings)
  const parsed = variables.safeParse(found)
  for (const { path, message, ...issue } of parsed.error?.issues ?? []) {
    const hint: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined
    problems.push({ name: String(path[0]), message, hint: typeof hint === 'string' ? hint : undefined })
  }
  checkTls(environment, found, problems)
  checkMail(environment, problems, warnings)
  checkAdministrator(environment, problems)
  checkOidc(environment, problems)
  if (problems.length > 0) throw invalid(problems)
  const values = parsed.data as z.output<typeof variables>
  const certificate = values.HOLDFAST_TLS_CERT && parseCertificate(values.HOLDFAST_TLS_CERT)
  if (certificate && certificate.validToDate < now) {
    warnings.push(`The certificate of HOLDFAST_TLS_CERT expired on ${certificate.validTo}.`)
  }
  if (!values.HOLDFAST_MANAGED) warnings.push(...unmanaged(found))
  warnings.push(...unknownNames(environment))
  return { configuration: arrange(values, isTerminal), warnings }
}

interface Problem {
  name: string
  message: string
  hint: string | undefined
}

function arrange(values: z.output<typeof variables>, isTerminal: boolean): Configuration {
  const { HOLDFAST_DATA_DIR: dataDirectory, HOLDFAST_TLS_CERT: certificate, HOLDFAST_TLS_KEY: key } = values
  return {
    dataDirectory,
    workDirectory: values.HOLDFAST_WORK_DIR ?? join(dataDirectory, 'work'),
    store:
      values.DATABASE_URL === undefined
        ? { path: join(dataDirectory, 'holdfast.db') }
        : { url: values.DATABASE_URL },
    host: values.HOLDFAST_HOST,
    port: values.HOLDFAST_PORT,
    tls: certificate !== undefined && key !== undefined ? { certificate, key } : undefined,
    pageDirectory: values.HOLDFAST_PAGE_DIR,
    basePath: values.HOLDFAST_BASE_PATH,
    appUrl: values.APP_URL,
    trustedProxies: values.TRUSTED_PROXIES,
    smtp:
      values.SMTP_URL !== undefined && values.MAIL_FROM !== undefined
        ? { ...values.SMTP_URL, from: values.MAIL_FROM }
        : undefined,
    oidc: oidcOf(values),
    timeZone: values.HOLDFAST_TIMEZONE,
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (isTerminal ? 'pretty' : 'json') },
    appKey: values.APP_KEY,
    previousAppKeys: values.APP_PREVIOUS_KEYS,
    backupKey: values.BACKUP_ENCRYPTION_KEY,
    previousBackupKeys: values.BACKUP_PREVIOUS_ENCRYPTION_KEYS,
    managed: values.HOLDFAST_MANAGED
      ? {
          folder: values.HOLDFAST_APP_BACKUP_DIR,
          schedules: inTimeZone(values.HOLDFAST_APP_BACKUP_SCHEDULE, values.HOLDFAST_TIMEZONE),
          keep: values.HOLDFAST_APP_BACKUP_KEEP,
        }
      : undefined,
    isDemo: values.HOLDFAST_DEMO,
    skipsMigrationBackup: values.HOLDFAST_SKIP_MIGRATION_BACKUP,
    administrator:
      values.HOLDFAST_ADMIN_EMAIL !== undefined && values.HOLDFAST_ADMIN_PASSWORD !== undefined
        ? { email: values.HOLDFAST_ADMIN_EMAIL, password: values.HOLDFAST_ADMIN_PASSWORD }
        : undefined,
    remote: { url: values.HOLDFAST_URL, token: values.HOLDFAST_TOKEN },
  }
}

/** What is set. A file that cannot be read, or is empty, is a problem: nobody names one to say nothing. */
function texts(
  environment: NodeJS.ProcessEnv,
  problems: Problem[],
  warnings: string[],
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of variableNames) {
    if (name === 'HOLDFAST_PORT' && isSetByKubernetes(environment)) {
      warnings.push(
        'HOLDFAST_PORT is what Kubernetes sets for a service called “holdfast”, and is ignored: set enableServiceLinks: false, or HOLDFAST_PORT yourself.',
      )
      continue
    }
    if (environment[name] && environment[`${name}_FILE`]) {
      warnings.push(`${name} and ${name}_FILE are both set: ${name} is used.`)
    }
    try {
      const text = fromEnvironment(environment, name)
      if (text === '') throw refused(`${name}_FILE names a file that is empty.`)
      if (text !== undefined) found[name] = text
    } catch (error) {
      const { message, hint } = error as AppError
      problems.push({ name: `${name}_FILE`, message: message.replace(`${name}_FILE `, ''), hint })
    }
  }
  return found
}

/** The two belong together, and to each other. Not asked of zod, which would do so only if all else was right. */
function checkTls(environment: NodeJS.ProcessEnv, found: Record<string, string>, problems: Problem[]): void {
  const names = ['HOLDFAST_TLS_CERT', 'HOLDFAST_TLS_KEY'] as const
  const isSet = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`])
  for (const [given, missing] of [names, [names[1], names[0]] as const]) {
    if (!isSet(given) || isSet(missing)) continue
    problems.push({ name: missing, message: `is not set, but ${given} is.`, hint: 'TLS needs both.' })
  }
  const certificate = variables.shape.HOLDFAST_TLS_CERT.safeParse(found[names[0]]).data
  const key = variables.shape.HOLDFAST_TLS_KEY.safeParse(found[names[1]]).data
  if (certificate === undefined || key === undefined) return
  if (parseCertificate(certificate).checkPrivateKey(createPrivateKey(key))) return
  problems.push({ name: names[1], message: `is not the key of ${names[0]}.`, hint: undefined })
}

/** A server for mail needs to know from whom; who only says from whom may mean another program. */
function checkMail(environment: NodeJS.ProcessEnv, problems: Problem[], warnings: string[]): void {
  const isSet = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`])
  if (isSet('SMTP_URL') && !isSet('MAIL_FROM')) {
    const hint = 'Whom the mails come from: Holdfast <holdfast@example.com>'
    problems.push({ name: 'MAIL_FROM', message: 'is not set, but SMTP_URL is.', hint })
  }
  if (isSet('MAIL_FROM') && !isSet('SMTP_URL')) {
    warnings.push('MAIL_FROM is set, but SMTP_URL is not: it is not used.')
  }
}

/** A provider is known by its address and by what it calls us; the rest is said of nobody without these. */
function checkOidc(environment: NodeJS.ProcessEnv, problems: Problem[]): void {
  const isSet = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`])
  const [first] = variableNames.filter((name) => name.startsWith('OIDC_') && isSet(name))
  if (first === undefined) return
  if (!isSet('OIDC_ISSUER') && !isSet('OIDC_DISCOVERY_URL')) {
    const hint = 'Or OIDC_DISCOVERY_URL, if it is not OIDC_ISSUER/.well-known/openid-configuration.'
    problems.push({ name: 'OIDC_ISSUER', message: `is not set, but ${first} is.`, hint })
  }
  if (!isSet('OIDC_CLIENT_ID')) {
    const hint = 'What the provider calls this client.'
    problems.push({ name: 'OIDC_CLIENT_ID', message: `is not set, but ${first} is.`, hint })
  }
}

function oidcOf(values: z.output<typeof variables>): OidcOfEnvironment | undefined {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = values
  const discoveryUrl =
    values.OIDC_DISCOVERY_URL ??
    (issuer === undefined ? undefined : `${issuer}/.well-known/openid-configuration`)
  if (discoveryUrl === undefined || clientId === undefined) return undefined
  return {
    name: values.OIDC_NAME,
    discoveryUrl,
    clientId,
    clientSecret: values.OIDC_CLIENT_SECRET,
    scopes: values.OIDC_SCOPES,
    allowHttp: values.OIDC_ALLOW_HTTP,
    autoCreate: values.OIDC_AUTO_CREATE,
    emailDomains: values.OIDC_EMAIL_DOMAINS,
    claim: values.OIDC_ROLE_CLAIM ?? null,
    mappings: values.OIDC_ROLE_MAP,
    defaultRole: values.OIDC_DEFAULT_ROLE,
    isStrict: values.OIDC_STRICT,
  }
}

/** One without the other is half of an account. */
function checkAdministrator(environment: NodeJS.ProcessEnv, problems: Problem[]): void {
  const isSet = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`])
  const names = ['HOLDFAST_ADMIN_EMAIL', 'HOLDFAST_ADMIN_PASSWORD'] as const
  for (const [given, missing] of [names, [names[1], names[0]] as const]) {
    if (!isSet(given) || isSet(missing)) continue
    const hint = 'The first account needs both.'
    problems.push({ name: missing, message: `is not set, but ${given} is.`, hint })
  }
}

function invalid(problems: Problem[]): AppError {
  const order = (problem: Problem) =>
    variableNames.findIndex((name) => problem.name.replace(/_FILE$/, '') === name)
  const lines = problems
    .toSorted((a, b) => order(a) - order(b))
    .map(({ name, message, hint }) => `  ${name}: ${message}${hint === undefined ? '' : ` ${hint}`}`)
  const count = lines.length === 1 ? 'A variable' : `${lines.length} variables`
  return new AppError(
    'configuration_invalid',
    `${count} of the environment cannot be used:\n${lines.join('\n')}`,
    {
      hint: 'docs/guide/configuration.md lists every variable.',
    },
  )
}

/** A warning for each variable that is called like ours and is none. */
function unknownNames(environment: NodeJS.ProcessEnv): string[] {
  const known = new Set<string>([...variableNames, ...otherNames])
  const unprefixed = new Map(
    variableNames.map((name) => [`HOLDFAST_${name.replace(/^HOLDFAST_/, '')}`, name]),
  )
  return Object.keys(environment)
    .filter((name) => name.startsWith('HOLDFAST_') && !isForeign(name))
    .sort()
    .flatMap((name) => {
      const base = name.replace(/_FILE$/, '')
      if (known.has(name) || known.has(base)) return []
      const candidate = nearest(base, [...known, ...unprefixed.keys()])
      const meant = candidate === undefined ? undefined : (unprefixed.get(candidate) ?? candidate)
      const suffix = base === name ? '' : '_FILE'
      return [`${name} is not a variable of Holdfast${meant ? `: did you mean ${meant}${suffix}?` : '.'}`]
    })
}

/** What Kubernetes sets for a service called “holdfast”, and what only tests read. */
function isForeign(name: string): boolean {
  return /^HOLDFAST_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP)|TEST_)/.test(name)
}

function isSetByKubernetes(environment: NodeJS.ProcessEnv): boolean {
  return /^(tcp|udp|sctp):\/\//.test(environment['HOLDFAST_PORT'] ?? '')
}

/** A field that is made of text by a function which throws AppErrors. */
function variable<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      context.addIssue({ code: 'custom', message: error.message, params: { hint: error.hint } })
      return z.NEVER
    }
  })
}

function refused(message: string, hint?: string): AppError {
  return new AppError('configuration_invalid', message, { hint })
}

function quoted(text: string): string {
  return `“${text.length > 80 ? `${text.slice(0, 80)}…` : text}”`
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function oneOf<T extends string>(values: readonly T[], text: string): T {
  const found = values.find((value) => value === text.toLowerCase())
  if (found) return found
  throw refused(`${quoted(text)} is none of ${values.join(', ')}.`)
}

/** Never quoted: it may hold a password. */
function parseDatabaseUrl(text: string): string {
  if (/^postgres(ql)?:\/\/\S+$/.test(text)) return text
  throw refused(
    'must be the URL of a PostgreSQL database.',
    'For instance postgres://holdfast@db.example.com/holdfast. Without it the store is a file in the data directory.',
  )
}

function parseHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0 || /^(?=.*[a-z])[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) return host
  throw refused(
    `${quoted(text)} is not an address to listen on.`,
    'For instance 127.0.0.1 (this machine only), 0.0.0.0 or :: (everywhere). The port is HOLDFAST_PORT.',
  )
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw refused(`${quoted(text)} is not a port.`, 'A number from 1 to 65535, or 0 for any that is free.')
}

/** PEM as it is, or in the file of that path. Never quoted: it may be a key. */
function parsePem(text: string, check: (pem: string) => unknown): string {
  const pem = text.trimStart().startsWith('-----BEGIN') ? text : readNamedFile('it', text.trim())
  check(pem)
  return pem
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw refused(`is not a certificate in PEM: ${messageOf(error)}.`)
  }
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw refused(`is not a private key in PEM without a passphrase: ${messageOf(error)}.`)
  }
}

function parseBasePath(text: string): string {
  const path = text.replace(/\/+$/, '')
  if (path === '' || /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/.test(path)) return path
  throw refused(
    `${quoted(text)} is not a path to serve below.`,
    'Like /backups: letters, digits and . _ ~ - between the slashes.',
  )
}

function parseUrl(text: string): string {
  const url = URL.parse(text)
  const isPlain = url && `${url.username}${url.password}${url.search}${url.hash}` === ''
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '')
  throw refused(
    'must be an address like https://backups.example.com.',
    'It begins with https:// or http://, and has no user, query or fragment.',
  )
}

const SMTP_HINT =
  'smtp://user:password@mail.example.com:587 begins TLS on the line, smtps://… begins with it, smtp://…?tls=none has none. What is special in user and password is percent-encoded.'

/** Never quoted: it may hold a password. */
function parseSmtpUrl(text: string): Omit<Smtp, 'from'> {
  const url = URL.parse(text)
  const options = [...(url?.searchParams ?? [])].filter(([name]) => name !== 'tls')
  const isPlain = url && options.length === 0 && url.hash === '' && /^\/?$/.test(url.pathname)
  if (!isPlain || url.hostname === '' || !/^smtps?:$/.test(url.protocol)) {
    throw refused('must be the URL of a mail server.', SMTP_HINT)
  }
  const isTls = url.protocol === 'smtps:'
  const tls = url.searchParams.get('tls') ?? (isTls ? 'tls' : 'starttls')
  if (tls !== 'tls' && tls !== 'starttls' && tls !== 'none') {
    throw refused(`“tls” is none of starttls, tls, none.`, SMTP_HINT)
  }
  if (url.port === '0') throw refused('names the port 0.', SMTP_HINT)
  if (isTls && tls !== 'tls') throw refused(`smtps:// and tls=${tls} contradict each other.`, SMTP_HINT)
  const [user, password] = [url.username, url.password].map(decoded)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (tls === 'tls' ? 465 : 587) : Number(url.port),
    tls,
    ...(user && { user }),
    ...(password && { password }),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refused('has a % in user or password that is not encoded.', SMTP_HINT)
  }
}

function parseSender(text: string): string {
  if (/^([^\r\n<>]*<[^\s<>@,]+@[^\s<>@,]+>|[^\s<>@,]+@[^\s<>@,]+)$/.test(text) && text.length <= 320)
    return text
  throw refused(`${quoted(text)} is not an address to send from.`, 'Like Holdfast <holdfast@example.com>')
}

function parseScopes(text: string): string[] {
  const scopes = text.split(/[\s,]+/).filter((scope) => scope !== '')
  if (scopes.includes('openid')) return scopes
  throw refused(`${quoted(text)} has not “openid”.`, 'For instance: openid profile email groups')
}

function parseName(text: string): string {
  const name = text.trim()
  if (name !== '' && name.length <= 100) return name
  throw refused('must have from 1 to 100 characters.')
}

function parseDomain(text: string): string {
  if (/^([a-z0-9-]+\.)*[a-z0-9-]+$/.test(text)) return text
  throw refused(`${quoted(text)} is not a domain.`, 'Like example.com; several are separated by commas.')
}

/** `value=Role`, or `value=Role@Organization`. A value may have = in it, as names of directories do. */
function parseRoleMapping(text: string): { value: string } & NamedRole {
  const at = text.lastIndexOf('=')
  const value = text.slice(0, Math.max(at, 0)).trim()
  if (value !== '') return { value, ...parseNamedRole(text.slice(at + 1)) }
  throw refused(
    `${quoted(text)} does not say which value gives which role.`,
    'For instance: admins=Admin, operators=Operator@Shop',
  )
}

function parseNamedRole(text: string): NamedRole {
  const [role = '', organization, ...more] = text.split('@').map((part) => part.trim())
  if (role !== '' && organization !== '' && more.length === 0) return { role, organization }
  throw refused(`${quoted(text)} is not a role.`, 'For instance Viewer, or Viewer@Shop.')
}

function parseEmail(text: string): string {
  const parsed = emailAddress.safeParse(text)
  if (parsed.success) return parsed.data
  throw refused(`${quoted(text)} is not an e-mail address.`)
}

function parseProxy(text: string): string {
  if (networkNames.includes(text.toLowerCase())) return text.toLowerCase()
  const [address = '', length, ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const isNetwork = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits)
  if (isIP(address) !== 0 && isNetwork && rest.length === 0) return text
  throw refused(
    `${quoted(text)} is neither an address nor a network.`,
    `For instance 10.0.0.7, 172.16.0.0/12, ${networkNames.join(', ')}; several are separated by commas. Whoever is trusted may claim any client address.`,
  )
}

function parseTimeZone(text: string): string {
  if (isTimeZone(text)) return text
  const meant = nearest(text, Intl.supportedValuesOf('timeZone'))
  throw refused(
    `${quoted(text)} is not a time zone.`,
    meant === undefined ? 'A name like Europe/Berlin, or UTC.' : `Did you mean ${meant}?`,
  )
}

function isTimeZone(text: string): boolean {
  if (text === 'UTC') return true // to read all of the time zones takes longer than the rest of a start
  // Offsets like +01:00 are taken too, but know no daylight saving time.
  if (!/^[a-z]/i.test(text)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: text }).format()
    return true
  } catch {
    return false
  }
}

function parseFlag(text: string): boolean {
  if (/^(1|true|yes)$/i.test(text)) return true
  if (/^(0|false|no)$/i.test(text)) return false
  throw refused(`${quoted(text)} is neither 1 nor 0.`)
}

function parseKeep(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= MOST_LOCAL_APP_BACKUPS) return Number(text)
  throw refused(
    `${quoted(text)} is not a number from 0 to ${MOST_LOCAL_APP_BACKUPS}.`,
    '0 keeps all, and fills the disk some day.',
  )
}

/** `migration, daily 03:00 15:00, weekly monday friday 03:00, monthly 1 31 03:00` */
function parseAppBackupSchedules(text: string): NewAppBackupSchedule[] {
  return listOf(text).map((part) => {
    const [type = '', ...words] = part.toLowerCase().split(/\s+/)
    const times = words.filter((word) => word.includes(':'))
    const days = words.filter((word) => !word.includes(':'))
    const rule = {
      type,
      ...(type !== 'migration' && { times }),
      ...(type === 'weekly' && { weekdays: days.map(weekdayOf) }),
      ...(type === 'monthly' && { days: days.map(Number) }),
    }
    const parsed = newAppBackupSchedule.safeParse(rule)
    const hasNoDays = type === 'daily' || type === 'migration'
    const isWhole = !(hasNoDays && days.length > 0) && !(type === 'migration' && words.length > 0)
    if (parsed.success && isWhole) return parsed.data
    const why = parsed.error?.issues[0]?.message ?? 'there is a word too many'
    throw refused(
      `${quoted(part)} is not a schedule: ${why.replace(/\.$/, '')}.`,
      'For instance: migration, daily 03:00 15:00, weekly monday friday 03:00, monthly 1 31 03:00',
    )
  })
}

/** `mon` for Monday. */
function weekdayOf(text: string): string {
  return weekdays.find((day) => text.length > 1 && day.startsWith(text)) ?? text
}

function inTimeZone(schedules: readonly NewAppBackupSchedule[], timeZone: string): AppBackupSchedule[] {
  return schedules.map((schedule) => ({ ...schedule, timeZone }))
}

function unmanaged(found: Record<string, string>): string[] {
  return Object.keys(found)
    .filter((name) => name.startsWith('HOLDFAST_APP_BACKUP_'))
    .map((name) => `${name} is set, but HOLDFAST_MANAGED is not 1: it is not used.`)
}

function parseBackupKey(text: string): string {
  try {
    sevenzipPassword(text)
    return text
  } catch (error) {
    throw refused(messageOf(error), KEY_HINT)
  }
}

function parseToken(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw refused('must be a token as “holdfast token create” prints it, without spaces.')
}
