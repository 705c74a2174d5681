import { z } from 'zod'
import { deliver, json } from '../answers.ts'
import { defineChannel, type Notice } from '../channel.ts'
import { secretUrl } from '../fields.ts'
import { fit, oneLine } from '../fit.ts'
import { bodyOf, icons, pageOf, withoutMentions } from '../wording.ts'

const config = z.strictObject({
  webhookUrl: secretUrl('Webhook URL', 'https://hooks.slack.com/services/…'),
})

export const slack = defineChannel({
  label: 'Slack',
  config,
  open: ({ webhookUrl }, environment) => ({
    async send(notice, signal) {
      const { said } = await deliver(
        {
          receiver: 'Slack',
          url: webhookUrl,
          request: json(messageOf(withoutMentions(notice))),
          secrets: [webhookUrl],
        },
        environment,
        signal,
      )
      return { answer: said === '' ? 'Slack took the message.' : `Slack answered: “${said}”.` }
    },
  }),
})

/** Plain text blocks: in them nothing is markup. The text beside them is what notifications and old clients show. */
function messageOf(notice: Notice): unknown {
  const { facts } = notice
  const page = pageOf(notice)
  const title = `${icons[notice.severity]} ${oneLine(notice.title)}`
  const plain = (text: string, limit: number) => ({
    type: 'plain_text',
    text: fit(text, limit, { escape }) || '–',
    emoji: false,
  })
  return {
    text: `${fit(title, 150, { escape })}\n${bodyOf(notice, 3000, { escape })}`,
    mrkdwn: false,
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(title, 150) },
      ...(notice.text.trim() === '' ? [] : [{ type: 'section', text: plain(notice.text, 3000) }]),
      // A section takes ten fields.
      ...[facts.slice(0, 10), facts.slice(10, 20)]
        .filter((some) => some.length > 0)
        .map((some) => ({
          type: 'section',
          fields: some.map(({ label, value }) =>
            plain(`${fit(oneLine(label), 60)}:\n${fit(value, 1500)}`, 2000),
          ),
        })),
      ...(page === undefined
        ? []
        : [{ type: 'section', text: { type: 'mrkdwn', text: `<${address(page)}|Open in Holdfast>` } }]),
    ],
  }
}

function escape(character: string): string {
  return character.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function address(page: string): string {
  return escape(page.replaceAll('|', '%7C'))
}
