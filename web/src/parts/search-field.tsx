import { TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'

interface SearchFieldProps {
  /** In what is looked for it. */
  placeholder: string
  /** As it stands in the address. */
  value: string
  onChange: (text: string | undefined) => void
}

/** A text that a list is limited to by the app, so that also what is not on the page yet is found. */
export function SearchField({ placeholder, value, onChange }: SearchFieldProps) {
  const t = useT()
  const typed = useTyped(value, onChange)
  return (
    <TextInput
      label={t('Search')}
      placeholder={placeholder}
      leftSection={<IconSearch size={16} aria-hidden />}
      w={{ base: '100%', xs: 250 }}
      {...typed}
    />
  )
}

/** What is typed counts when one stops typing. */
export function useTyped(value: string, onChange: (text: string | undefined) => void) {
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  const [filters] = useFilters()
  const isFiltered = Object.keys(filters).length > 0
  const [wasFiltered, setWasFiltered] = useState(isFiltered)
  const [sent, setSent] = useState<string>()
  // Another address, by a link or the way back; what this field has put there itself is older than what is typed.
  if (known !== value) {
    setKnown(value)
    setSent(undefined)
    if (value !== sent) setText(value)
  }
  // Who clears the filters means what was just typed, too.
  if (wasFiltered !== isFiltered) {
    setWasFiltered(isFiltered)
    if (!isFiltered && sent !== '') setText('')
  }
  // What stands there then: nothing is put into the address that another address has taken away meanwhile.
  const settle = useDebouncedCallback(() => {
    const given = text.trim()
    if (given === (sent ?? value)) return
    setSent(given)
    onChange(given || undefined)
  }, 300)
  return {
    value: text,
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) => {
      setText(currentTarget.value)
      settle()
    },
  }
}
