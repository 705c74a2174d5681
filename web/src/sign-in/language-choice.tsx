import { NativeSelect, type NativeSelectProps } from '@mantine/core'
import { chooseLanguage, type Language, languages, useChosenLanguage, useT } from '../i18n/i18n.ts'

/** The language of the page, in this browser. */
export function LanguageChoice(props: Pick<NativeSelectProps, 'label' | 'size'>) {
  const t = useT()
  return (
    <NativeSelect
      aria-label={props.label === undefined ? t('Language') : undefined}
      data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
      value={useChosenLanguage()}
      onChange={({ currentTarget }) => void chooseLanguage(currentTarget.value as Language)}
      {...props}
    />
  )
}
