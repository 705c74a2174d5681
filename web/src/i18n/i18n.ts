import i18next from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import type { Speech, Translate } from '../../../src/shared/words.ts'
import plurals from './en.json'

/*
 * English is the key: t('Back up now'). The other languages are files that say the same; the English one has only what
 * depends on a number. A test finds what a language lacks.
 */

export const languages = {
  en: 'English',
  de: 'Deutsch',
  es: 'Español',
  fr: 'Français',
  zh: '简体中文',
} as const
export type Language = keyof typeof languages

const dictionaries: Record<Exclude<Language, 'en'>, () => Promise<{ default: Record<string, string> }>> = {
  de: () => import('./de.json'),
  es: () => import('./es.json'),
  fr: () => import('./fr.json'),
  zh: () => import('./zh.json'),
}

const STORED_AT = 'holdfast-language'

/** Resolves when the first words can be shown. */
export async function startLanguages(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: plurals } },
    keySeparator: false,
    nsSeparator: false,
    returnEmptyString: false,
    interpolation: { escapeValue: false }, // React does that
  })
  await speak(chosenLanguage())
}

/** The language of the page from now on, also after a reload. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED_AT, language)
  await speak(language)
}

async function speak(language: Language): Promise<void> {
  if (language !== 'en' && !i18next.hasResourceBundle(language, 'translation')) {
    const { default: words } = await dictionaries[language]()
    i18next.addResourceBundle(language, 'translation', withMany(words))
  }
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
}

/** French and Spanish have a form of their own for millions; here it is that of the others. */
function withMany(words: Record<string, string>): Record<string, string> {
  const many = Object.entries(words)
    .filter(([word]) => word.endsWith('_other'))
    .map(([word, text]) => [word.replace(/_other$/, '_many'), text])
  return { ...words, ...Object.fromEntries(many) }
}

function chosenLanguage(): Language {
  const wanted = [localStorage.getItem(STORED_AT), ...navigator.languages]
  const known = wanted.map((tag) => tag?.slice(0, 2) ?? '').find((tag) => tag in languages)
  return (known as Language | undefined) ?? 'en'
}

export type { Translate }

/** The words of the language that is chosen. */
export function useT(): Translate {
  return useTranslation().t as unknown as Translate
}

/** The language that is chosen. */
export function useChosenLanguage(): Language {
  return useTranslation().i18n.language as Language
}

/** For numbers and times: the language, as it is written where the viewer is: `en-GB`. */
export function useLanguage(): string {
  const language = useChosenLanguage()
  return navigator.languages.find((tag) => tag.startsWith(`${language}-`)) ?? language
}

/** For sentences that are made from data; see `describeSchedule`. */
export function useSpeech(): Speech {
  return { t: useT(), language: useLanguage() }
}

/** Marks words that are translated where they are shown: `t(states[state])`. */
export function msg(english: string): string {
  return english
}
