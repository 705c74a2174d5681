/*
 * Whoever adds an identity provider to their account leaves the page for it. If that fails, the app sends the browser to
 * the sign-in, which looks here whether somebody who has signed in comes back.
 */

const STORED_AT = 'holdfast-linking'

export function noteLinking(): void {
  sessionStorage.setItem(STORED_AT, '1')
}

export function isLinking(): boolean {
  return sessionStorage.getItem(STORED_AT) !== null
}

export function forgetLinking(): void {
  sessionStorage.removeItem(STORED_AT)
}
