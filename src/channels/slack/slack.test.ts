import { secrets, slackVendor } from '../../../test/servers/vendors.ts'
import { channelConformance, overHttp } from '../conformance.ts'

channelConformance(
  'Slack',
  overHttp({
    kind: 'slack',
    vendor: slackVendor,
    settings: (origin) => ({ webhookUrl: `${origin}${secrets.slackPath}` }),
    wrongSettings: (origin) => ({ webhookUrl: `${origin}/services/T1/B1/wrongwrongwrong` }),
    secrets: ['slacksecret', 'wrongwrong'],
  }),
)
