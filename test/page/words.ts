import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const web = join(import.meta.dirname, '../../web/src')
const shared = join(import.meta.dirname, '../../src/shared')

/** `t('…')` and `msg('…')`, also over several lines. */
const WORDS = /\b(?:t|msg)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs

/** Where t is given something that no dictionary can have. */
const MADE_UP = /\bt\(\s*(?:`[^`]*\$\{|(['"])(?:\\.|(?!\1)[^\\])*\1\s*\+)/gs

export interface Source {
  file: string
  text: string
}

/** The page's own, and what makes sentences from data for it, the CLI and the API. */
export function pageSources(): Source[] {
  return [web, shared].flatMap((folder) =>
    globSync('**/*.{ts,tsx}', { cwd: folder })
      .filter((file) => !/\.test\./.test(file))
      .sort()
      .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') })),
  )
}

/** The words that stand in the page's own sources, in English. */
export function wordsIn(sources: readonly Source[]): Set<string> {
  return new Set(
    sources.flatMap(({ text }) => Array.from(text.matchAll(WORDS), ([, , words = '']) => unescaped(words))),
  )
}

/** Places where a sentence is put together, which cannot be translated. */
export function madeUpIn(sources: readonly Source[]): string[] {
  return sources.flatMap(({ file, text }) =>
    Array.from(text.matchAll(MADE_UP), ([found]) => `${file}: ${found}`),
  )
}

/**
 * The words in what the app says of its kinds of servers, volumes, channels and so on, from which forms are drawn: titles,
 * descriptions, labels, and what can be chosen.
 */
export function wordsInDescription(description: unknown): Set<string> {
  const words = new Set<string>()
  const walk = (value: unknown, name: string) => {
    if (Array.isArray(value)) {
      for (const item of value) {
        if (name === 'enum' && typeof item === 'string') words.add(item)
        else walk(item, name)
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, key)
    } else if (typeof value === 'string' && ['title', 'description', 'label'].includes(name)) {
      words.add(value)
    }
  }
  walk(description, '')
  return words
}

/** `{{name}}` */
export function placeholdersOf(words: string): string[] {
  return Array.from(words.matchAll(/\{\{\s*(\w+)\s*\}\}/g), ([, name = '']) => name).sort()
}

export function dictionaryOf(language: string): Record<string, string> {
  return JSON.parse(readFileSync(join(web, 'i18n', `${language}.json`), 'utf8')) as Record<string, string>
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character))
}
