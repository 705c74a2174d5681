import type { Server } from '../../../src/shared/servers.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { CopyValue } from '../parts/copy-value.tsx'
import { Facts } from '../parts/facts.tsx'
import { Section } from '../parts/section.tsx'
import { When } from '../parts/when.tsx'
import { addressOf } from './address.ts'
import { ServerBadges } from './server-badges.tsx'
import { useEngines } from './use-engines.ts'

export function ServerFacts({ server }: { server: Server }) {
  const t = useT()
  const language = useLanguage()
  const { labelOf } = useEngines()
  const { id, engine, connection, isProduction, isProtected, labels, maxRunning, createdAt } = server
  const isMarked = isProduction || isProtected || Object.keys(labels).length > 0
  const text = (name: string) => (typeof connection[name] === 'string' ? connection[name] : undefined)
  return (
    <Section title={t('Facts')}>
      <Facts
        facts={[
          [t('Engine'), labelOf(engine)],
          [t('Address'), addressOf(server)],
          [t('User'), text('user')],
          [t('TLS'), text('tls')],
          [t('Marks'), isMarked ? <ServerBadges key="marks" server={server} /> : undefined],
          [t('Jobs at once'), numberText(maxRunning, language)],
          [t('Added'), <When key="added" at={createdAt} />],
          [t('Id'), <CopyValue key="id" value={id} label={t('Copy the id, as hook scripts use it')} />],
        ]}
      />
    </Section>
  )
}
