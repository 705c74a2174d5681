export interface FitOptions {
  /** Makes one character harmless, whatever stands beside it. */
  escape?: (character: string) => string
  /** How the receiver counts. UTF-16 units unless told otherwise, which is never less than code points. */
  measure?: (text: string) => number
}

export const bytesOf = (text: string): number => Buffer.byteLength(text)

/**
 * The text, escaped, in no more than the limit. One that is longer is cut between two characters as people see them,
 * never inside an escape, and ends in “…”. What is not well-formed Unicode, and control characters that no receiver
 * takes, are replaced.
 */
export function fit(text: string, limit: number, options: FitOptions = {}): string {
  const { escape = (character) => character, measure = (text) => text.length } = options
  const clean = cleaned(text)
  const ellipsis = escape('…')
  const room = limit - measure(ellipsis)
  let short = ''
  let size = 0
  let cut: string | undefined
  // No receiver counts less than one for a character, so what lies behind is not looked at.
  for (const { segment } of characters.segment(clean.slice(0, limit + 1000))) {
    const piece = escape(segment)
    size += measure(piece)
    if (size > room) cut ??= short
    if (size > limit) return (cut ?? '') + ellipsis
    short += piece
  }
  return clean.length > limit + 1000 ? (cut ?? short) + ellipsis : short
}

/** In one line: for titles, headers and sentences. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' })

function cleaned(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(/(?![\t\n])\p{Cc}/gu, '\ufffd')
}
