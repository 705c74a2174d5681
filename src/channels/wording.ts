import type { Severity } from '../shared/notifications.ts'
import type { Notice } from './channel.ts'
import { fit, oneLine, type FitOptions } from './fit.ts'

/** Before a title, where the receiver shows the severity in no other way. */
export const icons = {
  started: '▶️',
  success: '✅',
  recovery: '✅',
  warning: '⚠️',
  failure: '❌',
  info: 'ℹ️',
} as const satisfies Record<Severity, string>

interface BodyOptions extends FitOptions {
  /** How a fact reads, from its parts, which are escaped. */
  fact?: (label: string, value: string) => string
}

/**
 * The text, the facts and the address of the page, in no more than the limit. If something has to go it is the end of
 * the text: which server and which database it is about matters more than the last lines of a tool.
 */
export function bodyOf(notice: Notice, limit: number, options: BodyOptions = {}): string {
  const { fact = (label, value) => `${label}: ${value}`, measure = (text) => text.length } = options
  const page = pageOf(notice)
  const tail = page === undefined ? [] : [fit(page, Math.floor(limit / 4), options)]
  const share = Math.floor(limit / 8)
  let room = limit - tail.join('').length - share
  const lines: string[] = []
  for (const { label, value } of notice.facts) {
    const line = fact(fit(oneLine(label), 60, options), fit(oneLine(value), share, options))
    // An eighth, at least, is the text's.
    if (measure(line) + 1 > room - share) break
    lines.push(line)
    room -= measure(line) + 1
  }
  const facts = lines.join('\n')
  const rest = [facts, ...tail].filter((part) => part !== '').join('\n\n')
  if (rest === '') return fit(notice.text.trim(), limit, options)
  const text = fit(notice.text.trim(), limit - measure(rest) - 2, options)
  return text === '' ? rest : `${text}\n\n${rest}`
}

/**
 * The notice with an invisible sign behind each `@` that begins a word, so that it is no mention of anybody. Only for
 * receivers that have no other way: who copies a name gets that sign too.
 */
export function withoutMentions(notice: Notice): Notice {
  const harmless = (text: string) => text.replace(/(?<!\w)@(?=\w)/g, '@\u2060')
  return {
    ...notice,
    title: harmless(notice.title),
    text: harmless(notice.text),
    facts: notice.facts.map(({ label, value }) => ({ label: harmless(label), value: harmless(value) })),
  }
}

/** The page's address, if it is one that a receiver will take. */
export function pageOf({ url }: Notice): string | undefined {
  const page = url === undefined ? null : URL.parse(url)
  if (!page || !/^https?:$/.test(page.protocol)) return undefined
  const { href } = page
  return href.length <= 500 ? href : undefined
}
