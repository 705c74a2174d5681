/**
 * Without the secrets, however they are spelled in it, whole or cut off. If the text itself `isCut`, it may also end in the
 * first few characters of one.
 */
export function redact(
  text: string,
  secrets: readonly (string | undefined)[],
  { isCut = false }: { isCut?: boolean } = {},
): string {
  const forms = new Set(
    secrets.flatMap((secret) => (secret ? spellings(secret) : [])).filter((form) => form.length >= 4),
  )
  // The longest first: a URL before its parts.
  const secretForms = [...forms].sort((a, b) => b.length - a.length)
  const whole = secretForms.reduce((text, form) => without(text, form, form.length), text)
  // Whoever repeated it may have cut it off. The beginning of a URL, or of its path, says nothing.
  const cuttable = secretForms.filter((form) => !/^(https?(:|%)|\/|%2f)/i.test(form))
  const longer = cuttable.filter((form) => form.length > CUT)
  const safe = longer.reduce((text, form) => without(text, form, CUT), whole)
  return isCut ? withoutLastBeginning(safe, cuttable) : safe
}

/** So much of a secret's beginning is recognised as such, and so much where the text was cut off. */
const CUT = 12
const CUT_AT_END = 3

function withoutLastBeginning(text: string, forms: readonly string[]): string {
  const end = text.replace(/\uFFFD+$/, '') // half a letter
  const lower = end.toLowerCase()
  const lengths = forms.map((form) => {
    for (let length = Math.min(form.length - 1, CUT); length >= CUT_AT_END; length--) {
      if (lower.endsWith(form.slice(0, length).toLowerCase())) return length
    }
    return 0
  })
  const longest = Math.max(0, ...lengths)
  return longest === 0 ? text : `${end.slice(0, -longest)}***`
}

/** Without the secret, and without what has at least so many characters of its beginning; in whatever case. */
function without(text: string, secret: string, least: number): string {
  const lower = [text.toLowerCase(), secret.toLowerCase()] as const
  // There are letters whose lower case is longer: then only what is written in the same way is found.
  const isAligned = lower[0].length === text.length && lower[1].length === secret.length
  const [inText, inSecret] = isAligned ? lower : [text, secret]
  const beginning = inSecret.slice(0, least)
  let safe = ''
  let from = 0
  for (;;) {
    const found = inText.indexOf(beginning, from)
    if (found === -1) return safe + text.slice(from)
    let length = least
    while (length < secret.length && inText[found + length] === inSecret[length]) length++
    safe += `${text.slice(from, found)}***`
    from = found + length
  }
}

/** As a server may repeat it: whole, encoded, and of a URL each part that could be the secret one. */
function spellings(secret: string): string[] {
  const url = URL.parse(secret)
  const parts = url
    ? [
        url.href,
        url.href.slice(url.origin.length),
        url.pathname,
        ...url.pathname.split('/').filter((part) => part.length >= 6),
        ...[...url.searchParams.values()].filter((value) => value.length >= 6),
        ...url.search
          .slice(1)
          .split('&')
          .filter((pair) => pair.length >= 6),
      ]
    : []
  return [secret, ...parts].flatMap((form) => [
    form,
    encodeURIComponent(form),
    encodeURI(form),
    decoded(form),
    JSON.stringify(form).slice(1, -1),
    form.replaceAll('/', '\\/'),
    form.replaceAll('&', '&amp;'),
  ])
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a percent sign that is just one
  }
}
