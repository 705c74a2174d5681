import { DateInput, type DateInputProps } from '@mantine/dates'
import { useChosenLanguage, useT } from '../i18n/i18n.ts'
import './calendar-words.ts'

/** A day, typed or chosen from a calendar in the language of the page. */
export function DayInput(props: DateInputProps) {
  const t = useT()
  const language = useChosenLanguage()
  return (
    <DateInput
      valueFormat="YYYY-MM-DD"
      previousLabel={t('Earlier')}
      nextLabel={t('Later')}
      locale={language}
      // They would be too pale to read.
      weekendDays={[]}
      hideOutsideDates
      {...props}
    />
  )
}
