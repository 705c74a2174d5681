import type { z } from 'zod'
import { AppError } from '../shared/errors.ts'
import { secretFields } from '../shared/secrets.ts'
import { withCheckedKeys } from './key.ts'
import { local } from './local/index.ts'
import { s3 } from './s3/index.ts'
import { sftp } from './sftp/index.ts'
import { kebab } from './url.ts'
import type { Volume, VolumeDriver, WriteOnlyVolume } from './volume.ts'
import { asWriteOnly, withCheckedPuts } from './write-only.ts'

/** Every kind of volume. A new one is its folder and its name here. */
export const volumes = { local, s3, sftp } satisfies Record<string, VolumeDriver>

export type VolumeKind = keyof typeof volumes

export interface OpenedVolume {
  kind: VolumeKind
  volume: Volume
  /** The settings, complete and valid; they contain the secrets. */
  config: Record<string, unknown>
  /** For the person who wrote the URL. */
  warnings: string[]
}

/**
 * Opens the volume that a URL, or the path of a folder, stands for. Secrets may come from the environment. Throws
 * `invalid_input` naming the setting that is missing or wrong. Nothing is reached yet, and nothing made.
 */
export function openVolumeUrl(url: string, environment: NodeJS.ProcessEnv): OpenedVolume {
  if (url.trim() === '') {
    throw new AppError('invalid_input', 'The volume URL is empty.', {
      hint: 'Is a variable not set? The current directory is written as a dot.',
    })
  }
  const kind = kindOf(url)
  const driver: VolumeDriver = volumes[kind]
  const warnings: string[] = []
  if (maskUrl(url) !== url) {
    warnings.push(
      `The volume URL ${maskUrl(url)} contains a secret, which anyone on this machine can read in the list of processes. Set it in the environment instead.`,
    )
  }
  const config = validate(driver, driver.fromUrl(url, environment), maskUrl(url))
  return { kind, volume: withCheckedKeys(driver.open(config)), config, warnings }
}

/** Opens a volume by its settings. Throws `invalid_input` naming the setting that is missing or wrong. */
export function openVolume(kind: VolumeKind, settings: unknown): Volume {
  const driver: VolumeDriver = volumes[kind]
  return withCheckedKeys(driver.open(validate(driver, settings, driver.label)))
}

/** The same, for who may only put objects there and remove them. */
export function openWriteOnly(kind: VolumeKind, settings: unknown): WriteOnlyVolume {
  const driver: VolumeDriver = volumes[kind]
  const config = validate(driver, settings, driver.label)
  return driver.openWriteOnly
    ? withCheckedPuts(driver.openWriteOnly(config))
    : asWriteOnly(withCheckedKeys(driver.open(config)))
}

/** The kind and the settings of a folder on this machine. */
export function folderVolume(path: string): { kind: VolumeKind; settings: { path: string } } {
  return { kind: 'local', settings: { path } }
}

/** The URL without its secrets, for logs and sentences; what cannot be read as a URL loses more than that. */
export function maskUrl(url: string): string {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(url)) return url
  // A password with an unescaped ? or # in it; what follows is its rest, not a query.
  if (/^[^:]+:\/\/(?=[^@]*[?#])[^@/]*:[^@]*@/.test(url))
    return url.replace(/^([^:]+:\/\/[^:@/]*):.*@/s, '$1:***@')
  const [address = '', query] = url.split(/\?(.*)/s)
  const masked = maskPassword(address)
  if (query === undefined) return masked
  const pairs = query.split('&').map((pair) => {
    const name = pair.split('=', 1)[0] ?? ''
    return secretNames().has(plain(name)) && pair.length > name.length + 1 ? `${name}=***` : pair
  })
  return `${masked}?${pairs.join('&')}`
}

function maskPassword(address: string): string {
  if (URL.parse(address)?.password === '') return address
  // Up to the last @, even behind a slash: someone may have forgotten to write the slash in a password as %2F.
  return address.replace(/^([^:]+:\/\/[^:@/]*):(.*)@/s, '$1:***@')
}

function kindOf(url: string): VolumeKind {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase() ?? 'file'
  const kinds = Object.entries(volumes) as [VolumeKind, VolumeDriver][]
  const found = kinds.find(([, driver]) => driver.schemes.includes(scheme))
  if (found) return found[0]
  const known = kinds.flatMap(([, driver]) => driver.schemes).map((name) => `${name}:`)
  throw new AppError('invalid_input', `There is no kind of volume for “${scheme}:”.`, {
    hint: `A volume is the path of a folder, or a URL that begins with ${known.join(', ')}. A folder whose name contains a colon is written ./${scheme}:…`,
  })
}

function validate<Config extends z.ZodType>(driver: VolumeDriver<Config>, settings: unknown, what: string) {
  const parsed = driver.config.safeParse(settings)
  if (parsed.success) return parsed.data as z.output<Config> & Record<string, unknown>
  const issues = parsed.error.issues.map((issue) => {
    const field = issue.path.length > 0 ? kebab(String(issue.path[0])) : undefined
    return field ? `${field}: ${issue.message}` : issue.message
  })
  throw new AppError('invalid_input', `${what} is not a valid volume: ${issues.join('; ')}.`)
}

/** The names of all secret settings, and what people take for them, without dashes. */
function secretNames(): Set<string> {
  const declared = Object.values(volumes as Record<string, VolumeDriver>).flatMap((driver) =>
    secretFields(driver.config),
  )
  return new Set([...declared, 'password', 'passphrase', 'secret', 'token', 'secretKey'].map(plain))
}

function plain(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase()
}
