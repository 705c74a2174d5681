/** An invitation is kept over a sign-in, which may lead to an identity provider and back; it goes with the tab. */
const STORED_AT = 'holdfast-invitation'

export function keepInvitation(token: string): void {
  sessionStorage.setItem(STORED_AT, token)
}

export function keptInvitation(): string | undefined {
  return sessionStorage.getItem(STORED_AT) ?? undefined
}

export function forgetInvitation(): void {
  sessionStorage.removeItem(STORED_AT)
}
