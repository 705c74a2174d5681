import { ntfyVendor, secrets } from '../../../test/servers/vendors.ts'
import { channelConformance, overHttp } from '../conformance.ts'

channelConformance(
  'ntfy',
  overHttp({
    kind: 'ntfy',
    vendor: ntfyVendor,
    settings: (url) => ({ url, topic: 'backups', token: secrets.ntfy }),
    wrongSettings: (url) => ({ url, topic: 'backups', token: 'tk_wrongwrong' }),
    secrets: ['tk_'],
  }),
)
