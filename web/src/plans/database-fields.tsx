import { MultiSelect, Radio, Stack, TagsInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { DatabaseChoice } from '../../../src/shared/plans.ts'
import { asking } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { errorOf } from '../parts/field-errors.ts'
import { monospace } from '../parts/monospace.ts'
import { Matches } from './matches.tsx'

interface DatabaseFieldsProps {
  /** Undefined while the server is not saved: then nobody knows what it has. */
  serverId: string | undefined
  databases: DatabaseChoice
  excluded: string[]
  onDatabases: (choice: DatabaseChoice) => void
  onExcluded: (names: string[]) => void
  /** By the field: `databases.include`, `excludedDatabases` … */
  errors?: Record<string, string>
}

/** Which databases are backed up, with those that this means now. */
export function DatabaseFields(props: DatabaseFieldsProps) {
  const { serverId, databases, excluded, onDatabases, onExcluded, errors = {} } = props
  const t = useT()
  return (
    <Stack gap="md">
      <Radio.Group
        label={t('Databases')}
        value={databases.mode}
        error={errors['databases']}
        onChange={(mode) => onDatabases(choiceOf(mode))}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="all" label={t('All')} description={t('Also those that are made later')} />
          <Radio value="selected" label={t('Chosen ones')} description={t('Only those that you name')} />
          <Radio
            value="pattern"
            label={t('Those whose name fits a pattern')}
            description={t('A regular expression over the whole name')}
          />
        </Stack>
      </Radio.Group>
      {databases.mode === 'selected' && (
        <SelectedNames
          serverId={serverId}
          value={databases.names}
          error={errorOf(errors, 'databases.names')}
          onChange={(names) => onDatabases({ mode: 'selected', names })}
        />
      )}
      {databases.mode === 'pattern' && (
        <>
          <TextInput
            label={t('Names that fit')}
            description={t('For example: shop_.*')}
            styles={monospace}
            withAsterisk
            autoComplete="off"
            spellCheck={false}
            value={databases.include}
            error={errors['databases.include']}
            onChange={({ currentTarget }) => onDatabases({ ...databases, include: currentTarget.value })}
          />
          <TextInput
            label={t('But not those that fit')}
            styles={monospace}
            autoComplete="off"
            spellCheck={false}
            value={databases.exclude ?? ''}
            error={errors['databases.exclude']}
            onChange={({ currentTarget: { value } }) =>
              onDatabases({
                mode: 'pattern',
                include: databases.include,
                ...(value !== '' && { exclude: value }),
              })
            }
          />
        </>
      )}
      <TagsInput
        label={t('Never these')}
        description={t('Names, in which * stands for anything')}
        value={excluded}
        error={errorOf(errors, 'excludedDatabases')}
        acceptValueOnBlur
        onChange={onExcluded}
      />
      {serverId !== undefined && isComplete(databases) && (
        <Matches serverId={serverId} databases={databases} excluded={excluded} />
      )}
    </Stack>
  )
}

interface SelectedNamesProps {
  serverId: string | undefined
  value: string[]
  onChange: (names: string[]) => void
  error: string | undefined
}

/** From the list of the server; with names of one's own only where it cannot be had. */
function SelectedNames({ serverId, value, onChange, error }: SelectedNamesProps) {
  const t = useT()
  const found = useQuery({
    ...asking('GET /api/v1/servers/{id}/databases', { params: { id: serverId ?? '' } }),
    enabled: serverId !== undefined,
  })
  const label = t('Which databases')
  const description = t('Names, in which * stands for anything')
  if (found.data && !value.some((name) => !found.data.items.includes(name))) {
    return (
      <MultiSelect
        label={label}
        data={found.data.items}
        value={value}
        error={error}
        withAsterisk
        searchable
        hidePickedOptions
        nothingFoundMessage={t('Nothing was found')}
        onChange={onChange}
      />
    )
  }
  return (
    <>
      <TagsInput
        label={label}
        description={description}
        data={found.data?.items ?? []}
        value={value}
        error={error}
        withAsterisk
        acceptValueOnBlur
        onChange={onChange}
      />
      {found.error && (
        <Failed title={t('The databases could not be listed')} error={found.error} retry={found.refetch} />
      )}
    </>
  )
}

function choiceOf(mode: DatabaseChoice['mode']): DatabaseChoice {
  if (mode === 'selected') return { mode, names: [] }
  return mode === 'pattern' ? { mode, include: '' } : { mode }
}

/** Whether there is anything to look for yet. */
function isComplete(choice: DatabaseChoice): boolean {
  if (choice.mode === 'selected') return choice.names.length > 0
  return choice.mode === 'all' || choice.include !== ''
}
