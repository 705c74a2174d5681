import { z } from 'zod'
import type { Severity } from '../../shared/notifications.ts'
import { deliver, json, refused, textIn } from '../answers.ts'
import { defineChannel, type Notice } from '../channel.ts'
import { secretUrl } from '../fields.ts'
import { fit, oneLine } from '../fit.ts'
import { icons, pageOf } from '../wording.ts'

const config = z.strictObject({
  webhookUrl: secretUrl(
    'Workflow URL',
    'Of a workflow “Post to a channel when a webhook request is received”',
  ),
})

export const teams = defineChannel({
  label: 'Microsoft Teams',
  config,
  open: ({ webhookUrl }, environment) => ({
    async send(notice, signal) {
      const { status, said } = await deliver(
        {
          receiver: 'Teams',
          url: webhookUrl,
          request: json(messageOf(notice)),
          secrets: [webhookUrl],
          words,
        },
        environment,
        signal,
      )
      // A connector of the old kind says so with status 200.
      if (/delivery failed/i.test(said)) throw refused('Teams', `It answered: “${said}”.`)
      if (status === 202) {
        return {
          answer:
            'The workflow was started (status 202); whether it has posted the message, its run history in Teams tells.',
        }
      }
      return { answer: `Teams answered with status ${status}${said === '' ? '' : `: “${said}”`}.` }
    },
  }),
})

const colours = {
  started: 'Accent',
  success: 'Good',
  recovery: 'Good',
  warning: 'Warning',
  failure: 'Attention',
  info: 'Default',
} as const satisfies Record<Severity, string>

const LINES = 40
const FACTS = 15

/** Teams takes 28 KB. What stands in a TextRun is never markup, unlike in a TextBlock or a FactSet. */
function messageOf(notice: Notice): unknown {
  const page = pageOf(notice)
  const title = `${icons[notice.severity]} ${oneLine(notice.title)}`
  const lines = fit(notice.text.trim(), 8000, { measure }).split('\n')
  const shown = lines.length > LINES ? [...lines.slice(0, LINES - 1), '…'] : lines
  const facts = notice.facts.slice(0, FACTS)
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: [
            paragraph({
              text: fit(title, 500, { measure }),
              weight: 'Bolder',
              size: 'Medium',
              color: colours[notice.severity],
            }),
            ...shown.filter((line) => line.trim() !== '').map((text) => paragraph({ text })),
            ...facts.map(({ label, value }) =>
              paragraph(
                { text: `${fit(oneLine(label), 60, { measure })}: `, weight: 'Bolder' },
                { text: fit(oneLine(value), 500, { measure }) || '–' },
              ),
            ),
          ],
          ...(page !== undefined && {
            actions: [{ type: 'Action.OpenUrl', title: 'Open in Holdfast', url: page }],
          }),
        },
      },
    ],
  }
}

function paragraph(...runs: { text: string; weight?: string; size?: string; color?: string }[]) {
  return { type: 'RichTextBlock', inlines: runs.map((run) => ({ type: 'TextRun', ...run })) }
}

/** Bytes, as they are in JSON. */
function measure(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}

function words(body: unknown): string | undefined {
  return textIn(body, 'error', 'message') ?? textIn(body, 'message')
}
