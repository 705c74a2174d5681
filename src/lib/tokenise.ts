import { AppError } from '../shared/errors.ts'

/**
 * Splits a line of options into arguments, as a shell would: white space separates, single quotes keep everything,
 * double quotes keep everything but `\"` and `\\`, a backslash keeps the next character. Nothing is expanded, and
 * nothing is special besides these. Throws `invalid_input` for a quote without its partner.
 */
export function tokenise(line: string): string[] {
  const tokens: string[] = []
  let token: string | undefined
  let at = 0
  while (at < line.length) {
    const character = line[at++] ?? ''
    if (/\s/.test(character)) {
      if (token !== undefined) tokens.push(token)
      token = undefined
      continue
    }
    token ??= ''
    if (character === "'") {
      const end = line.indexOf("'", at)
      if (end === -1) throw unbalanced(line)
      token += line.slice(at, end)
      at = end + 1
    } else if (character === '"') {
      for (;;) {
        if (at >= line.length) throw unbalanced(line)
        const inside = line[at++] ?? ''
        if (inside === '"') break
        if (inside === '\\' && (line[at] === '"' || line[at] === '\\')) token += line[at++]
        else token += inside
      }
    } else if (character === '\\') {
      if (at >= line.length) throw unbalanced(line)
      token += line[at++]
    } else token += character
  }
  if (token !== undefined) tokens.push(token)
  return tokens
}

function unbalanced(line: string): AppError {
  return new AppError('invalid_input', `A quote or backslash in “${line}” has no partner.`)
}
