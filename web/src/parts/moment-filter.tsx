import { TextInput, type TextInputProps } from '@mantine/core'
import { useFilters } from '../filters.ts'
import { localMinute, momentOf } from './local-minute.ts'

interface MomentFilterProps extends Pick<TextInputProps, 'label' | 'w'> {
  /** What the address calls it. */
  name: 'from' | 'to'
}

/** A time by the viewer’s clock. The address has the moment, so that it says the same to everybody. */
export function MomentFilter({ name, ...rest }: MomentFilterProps) {
  const [filters, setFilters] = useFilters()
  return (
    <TextInput
      type="datetime-local"
      value={localMinute(filters[name]) ?? ''}
      onChange={({ currentTarget }) => setFilters({ [name]: momentOf(currentTarget.value) })}
      {...rest}
    />
  )
}
