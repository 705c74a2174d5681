import { createHash } from 'node:crypto'
import type { Notice } from '../channel.ts'
import { fit, oneLine } from '../fit.ts'
import { bodyOf, pageOf } from '../wording.ts'

const LIMIT = 100_000

/** The message without its recipients: plain text, and the same as simple HTML. */
export function mailOf(notice: Notice, from: string) {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'holdfast.invalid'
  const idOf = (kind: string, text: string) =>
    `<${kind}.${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domain}>`
  // Nobody ever got the message that all of a thread answer: programs show them together all the same.
  const root = notice.thread === undefined ? undefined : idOf('thread', notice.thread)
  return {
    from,
    subject: fit(oneLine(notice.title), 200),
    date: new Date(notice.at),
    messageId: idOf('notice', notice.id),
    ...(root !== undefined && { inReplyTo: root, references: [root] }),
    headers: {
      // No out-of-office note shall answer.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Holdfast-Event': oneLine(notice.event),
    },
    text: `${bodyOf(notice, LIMIT)}\n`,
    html: htmlOf(notice),
  }
}

function htmlOf(notice: Notice): string {
  const escaped = (text: string, limit: number) => fit(text, limit, { escape })
  const page = pageOf(notice)
  const facts = notice.facts
    .slice(0, 50)
    .map(
      ({ label, value }) =>
        `<tr><th align="left" valign="top">${escaped(oneLine(label), 100)}</th><td>${lines(escaped(value, 4000))}</td></tr>`,
    )
  return [
    '<!doctype html><html><body>',
    `<h2>${escaped(oneLine(notice.title), 500)}</h2>`,
    `<p>${lines(escaped(notice.text.trim(), LIMIT))}</p>`,
    facts.length > 0 ? `<table cellpadding="4">${facts.join('')}</table>` : '',
    page === undefined ? '' : `<p><a href="${escape(page)}">Open in Holdfast</a></p>`,
    '</body></html>',
  ].join('\n')
}

function lines(html: string): string {
  return html.replaceAll('\n', '<br>\n')
}

function escape(character: string): string {
  return character
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
