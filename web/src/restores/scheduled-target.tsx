import { Radio, Select, Stack } from '@mantine/core'
import { restoreModes as modeNames } from '../../../src/shared/restores.ts'
import { useT } from '../i18n/i18n.ts'
import { DatabaseField } from './database-field.tsx'
import { restoreModes } from './restore-modes.ts'
import type { ServersProps } from './scheduled-parts.ts'

/** Where it goes, and what becomes of what is there. */
export function Target({ draft, change, errors, servers }: ServersProps) {
  const t = useT()
  return (
    <>
      <Select
        label={t('Target server')}
        description={t('Of the same engine. Protected servers cannot be chosen.')}
        withAsterisk
        data={servers.map(({ id, name, isProtected }) => ({
          value: id,
          label: isProtected ? t('{{name}} (protected)', { name }) : name,
          disabled: isProtected,
        }))}
        value={draft.targetServerId}
        error={errors['targetServerId']}
        searchable
        onChange={(id) => change({ targetServerId: id, confirmation: '' })}
      />
      <Radio.Group
        label={t('Mode')}
        value={draft.mode}
        error={errors['mode']}
        onChange={(mode) => change({ mode })}
      >
        <Stack gap="sm" mt="xs">
          {modeNames.map((name) => (
            <Radio
              key={name}
              value={name}
              label={t(restoreModes[name].title)}
              description={t(restoreModes[name].about)}
            />
          ))}
        </Stack>
      </Radio.Group>
      <DatabaseField
        serverId={draft.targetServerId}
        label={t('Target database')}
        value={draft.targetDatabase}
        error={errors['targetDatabase']}
        onChange={(name) => change({ targetDatabase: name, confirmation: '' })}
      />
    </>
  )
}
