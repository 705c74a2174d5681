/** What of oidc-provider, which has no types of its own, the tests use. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Context {
    path: string
    status: number
    body: unknown
  }

  interface Account {
    accountId: string
    claims: () => Record<string, unknown>
  }

  export class Provider {
    constructor(
      issuer: string,
      configuration: {
        findAccount: (context: Context, id: string) => Account | undefined
        [setting: string]: unknown
      },
    )
    Client: { prototype: { redirectUriAllowed: (url: string) => boolean } }
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
  }
}
