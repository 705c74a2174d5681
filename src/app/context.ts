import type { Sealer } from '../lib/sealing.ts'
import type { Smtp } from '../shared/instance-settings.ts'
import type { Store } from '../store/database.ts'
import type { ManagedAppBackups, OidcOfEnvironment } from './configuration.ts'

/** What every feature of the app works with. */
export interface AppContext {
  store: Store
  sealer: Sealer
  /** Values of BACKUP_ENCRYPTION_KEY: the one in use first, then the previous ones. */
  instanceKeys: readonly string[]
  /** IANA name, where nothing else says one. */
  timeZone: string
  /** The app's own, in which no volume may be. */
  dataDirectory: string
  /** For tools that insist on files. */
  workDirectory: string
  /**
   * When each loop of this process went round last, by `performance.now()`: for its health. None of it is there where
   * the loop does not run.
   */
  heartbeats: Map<'scheduler' | 'watch' | 'worker' | 'delivery lane', number>
  /** The address as people type it, for links; without a slash at its end. */
  appUrl?: string | undefined
  /** The app itself speaks TLS. */
  isTls?: boolean | undefined
  /** Where the app is below its host: empty, or like `/backups`. */
  basePath?: string | undefined
  /** This is a demonstration, which anybody may sign in to. */
  isDemo?: boolean | undefined
  /** The server that mail is handed to, if the environment says it: then it is not a setting. */
  smtp?: Smtp | undefined
  /** An identity provider, if the environment says one: then it is not for the app’s users to change. */
  oidc?: OidcOfEnvironment | undefined
  /** Folders for app backups, and how many they keep, where the environment says it: then both are no settings. */
  managed?: ManagedAppBackups | undefined
}

/**
 * What the routes of a feature are made of. They have no store: what a request may see of it comes with the request
 * (`request.own`), so that no query is made that is not scoped.
 */
export type RouteContext = Omit<AppContext, 'store'>
