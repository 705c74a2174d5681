import { Checkbox, Stack, Text } from '@mantine/core'
import type { Ability } from '../../../src/client/api.ts'
import type { Ability as AbilityName } from '../../../src/shared/abilities.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'

interface AbilityChoiceProps {
  label?: string
  abilities: readonly Ability[]
  /** Only on some servers: then what concerns the whole organization cannot be chosen. */
  isLimited?: boolean
  chosen: readonly AbilityName[]
  onChange: (chosen: AbilityName[]) => void
  error?: string | undefined
}

/** Nobody gives more than they have: the rest cannot be chosen. Whoever may anything may see. */
export function AbilityChoice({
  label,
  abilities,
  isLimited = false,
  chosen,
  onChange,
  error,
}: AbilityChoiceProps) {
  const t = useT()
  const groups = [
    { title: t('About servers, and what belongs to them'), isAboutServers: true },
    { title: t('About the whole organization'), isAboutServers: false },
  ]
  return (
    <Checkbox.Group
      label={label ?? t('Who has it may')}
      value={[...chosen]}
      error={error}
      onChange={(values) => onChange(values)}
    >
      <Stack gap="md" mt="xs">
        {groups.map(({ title, isAboutServers }) => (
          <Stack key={title} gap="xs" role="group" aria-label={title}>
            <Text size="sm" c="dimmed">
              {title}
            </Text>
            {abilities
              .filter((ability) => ability.isAboutServers === isAboutServers)
              .map((ability) => (
                <AbilityBox
                  key={ability.name}
                  ability={ability}
                  isOutOfReach={isLimited && !isAboutServers}
                  isChosen={chosen.includes(ability.name)}
                />
              ))}
          </Stack>
        ))}
      </Stack>
    </Checkbox.Group>
  )
}

interface AbilityBoxProps {
  ability: Ability
  isOutOfReach: boolean
  isChosen: boolean
}

function AbilityBox({ ability: { name, title }, isOutOfReach, isChosen }: AbilityBoxProps) {
  const t = useT()
  const may = useMay()
  const isMine = may(name)
  const why = isOutOfReach
    ? t('Not for a role that is limited to some servers')
    : isMine
      ? undefined
      : t('You may not do this yourself')
  return (
    <Checkbox
      value={name}
      label={t(title)}
      description={why}
      disabled={name === 'view' || isOutOfReach || (!isMine && !isChosen)}
    />
  )
}
