import type { AppContext } from '../context.ts'

type Context = Pick<AppContext, 'appUrl' | 'isTls' | 'basePath'>

/** How the app’s cookies are called, and to whom a browser sends them. */
export interface CookieRules {
  /** Before each name. A browser takes `__Host-` only over TLS, from the host itself, and for all of it. */
  prefix: string
  /** The name of the cookie that carries the session. */
  session: string
  attributes: { httpOnly: true; sameSite: 'lax'; secure: boolean; path: string }
}

/** The longest that browsers keep a cookie. When a session ends is for the store to say. */
export const COOKIE_DAYS = 400

export function cookieRules({ appUrl, isTls = false, basePath = '' }: Context): CookieRules {
  const secure = isTls || appUrl?.startsWith('https://') === true
  const mark = secure ? (basePath === '' ? '__Host-' : '__Secure-') : ''
  const prefix = `${mark}holdfast`
  return {
    prefix,
    session: `${prefix}.session`,
    attributes: { httpOnly: true, sameSite: 'lax', secure, path: basePath === '' ? '/' : basePath },
  }
}
