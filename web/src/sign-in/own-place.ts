interface Place {
  to: string
  search: Record<string, string>
  hash: string
}

/** A path of the app itself, as the app reads it too: nobody is led elsewhere by a link to the sign-in. */
export function ownPath(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path) ? path : '/'
}

/** Where a sign-in leads. */
export function ownPlace(path: string | undefined): Place {
  const { pathname, searchParams, hash } = new URL(ownPath(path), location.origin)
  // `/x/..//elsewhere` begins with one slash, and ends up with two.
  if (pathname.startsWith('//')) return { to: '/', search: {}, hash: '' }
  return { to: pathname, search: Object.fromEntries(searchParams), hash: hash.slice(1) }
}
