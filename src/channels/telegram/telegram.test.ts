import { secrets, telegramVendor } from '../../../test/servers/vendors.ts'
import { channelConformance, overHttp } from '../conformance.ts'

channelConformance(
  'Telegram',
  overHttp({
    kind: 'telegram',
    vendor: telegramVendor,
    settings: (apiUrl) => ({ botToken: secrets.telegramBot, chatId: '-1001234567890', topicId: 42, apiUrl }),
    wrongSettings: (apiUrl) => ({ botToken: '1:wrong-wrong-wrong', chatId: '-1001234567890', apiUrl }),
    secrets: ['telegram-bot-token', 'wrong-wrong'],
  }),
)
