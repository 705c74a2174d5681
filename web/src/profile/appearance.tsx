import { Input, SegmentedControl, SimpleGrid, useMantineColorScheme } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { Section } from '../parts/section.tsx'
import { LanguageChoice } from '../sign-in/language-choice.tsx'

export function Appearance() {
  const t = useT()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Section title={t('Language and colours')} about={t('They are kept in this browser.')}>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 1, xl: 2 }}>
        <LanguageChoice label={t('Language')} />
        <Input.Wrapper label={t('Colours')} labelElement="div">
          <SegmentedControl
            fullWidth
            aria-label={t('Colours')}
            value={colorScheme}
            onChange={(chosen) => setColorScheme(chosen)}
            data={[
              { value: 'light', label: t('Light') },
              { value: 'dark', label: t('Dark') },
              { value: 'auto', label: t('System') },
            ]}
          />
        </Input.Wrapper>
      </SimpleGrid>
    </Section>
  )
}
