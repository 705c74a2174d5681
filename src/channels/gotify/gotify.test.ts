import { gotifyVendor, secrets } from '../../../test/servers/vendors.ts'
import { channelConformance, overHttp } from '../conformance.ts'

channelConformance(
  'Gotify',
  overHttp({
    kind: 'gotify',
    vendor: gotifyVendor,
    settings: (url) => ({ url, token: secrets.gotify }),
    wrongSettings: (url) => ({ url, token: 'AwrongwrongWrong' }),
    secrets: [secrets.gotify, 'AwrongwrongWrong'],
  }),
)
