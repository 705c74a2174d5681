import { readFileSync } from 'node:fs'
import { AppError } from '../../shared/errors.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from '../../shared/password-length.ts'

/** Whose password it is to be. */
export interface Owner {
  email: string
  name: string
}

/** Runs along these, in either direction, are nothing of one’s own. */
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiopü',
  'qwertzuiopü',
  'azertyuiop',
  'asdfghjklöä',
  'qsdfghjklm',
  'zxcvbnm',
  'yxcvbnm',
  'wxcvbn',
  '!@#$%^&*()',
  '!"§$%&/()=',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'qazwsxedcrfvtgbyhnujm',
]
const neighbours = new Set(
  rows.flatMap((row) => {
    const letters = Array.from(row)
    return letters.flatMap((letter, at) => [
      letter,
      ...[at - 1, at + 1].map((n) => letter + (letters[n] ?? '')),
    ])
  }),
)

/** What passwords are made of again and again; digits beside it make it no better. */
const baseWords = `
  holdfast
  password passwort passw pass kennwort contrasena motdepasse parola wachtwoord senha
  welcome willkommen bienvenue changeme changethis letmein iloveyou secret geheim
  administrator admin root superuser user guest login default server backup database
  postgres mysql mariadb mongo redis sqlite oracle docker ubuntu debian windows
  monkey dragon sunshine princess football baseball superman batman starwars pokemon
  master shadow michael jordan charlie liverpool arsenal chelsea internet computer
  summer winter spring autumn sommer january february october november december
  monday friday company testing test demo temp hello qwerty qwertz azerty asdf
  lovely freedom whatever trustno samsung google facebook linkedin access security`
  .trim()
  .split(/\s+/)
  .toSorted((a, b) => b.length - a.length)

/** So many letters must be of one’s own, where a known word is used. */
const OWN_LETTERS = 5
/** A unit that is repeated must be as long, and what is left of it without runs. */
const OWN_CHARACTERS = 6

const leet: Record<string, string> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

let common: ReadonlySet<string> | undefined

/**
 * Throws `invalid_input`, with a sentence that says why, for a password that others would guess. `field` is what the
 * input calls it.
 */
export async function refuseBadPassword(password: string, owner: Owner, field = 'password'): Promise<void> {
  const why = faultOf(password, owner)
  if (why === undefined) return
  throw new AppError('invalid_input', `The password ${why}`, {
    hint: 'A few words that have nothing to do with each other, or what a password manager makes, is good.',
    fields: [{ field, message: why }],
  })
}

/** Why it would not do: a sentence without its beginning. */
export function faultOf(password: string, owner: Owner): string | undefined {
  const characters = Array.from(password.normalize('NFKC'))
  if (characters.length < PASSWORD_MIN) {
    return `is too short: it has ${characters.length} characters, and needs ${PASSWORD_MIN}.`
  }
  if (password.length > PASSWORD_MAX) return `is too long: at most ${PASSWORD_MAX} characters are taken.`
  const lower = characters.join('').toLowerCase()
  if (/^[\d\s.,:/+-]+$/.test(lower)) return 'has only digits, as a date or a telephone number.'
  if (isRepetition(lower)) return 'repeats the same few characters.'
  if (withoutRuns(lower).length < OWN_CHARACTERS) return 'is a sequence, as on the keyboard.'
  if (isCommon(lower)) return 'is one of those that are used, and tried, most often.'
  const own = ownWords(owner).find((word) => hasLittleElse(lower, [word]))
  if (own !== undefined) return 'is little more than your name or e-mail.'
  const base = baseWords.find((word) => hasLittleElse(lower, [word])) ?? hasLittleElse(lower, baseWords)
  if (base) return 'is little more than a word that everybody uses.'
  return undefined
}

/** Known as it is, and with what people add or swap to make it look better. */
function isCommon(lower: string): boolean {
  common ??= new Set(
    readFileSync(new URL('common-passwords.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter(Boolean),
  )
  const trimmed = lower.replace(/[\d\W_]{1,4}$/u, '')
  const spelled = [lower, trimmed].flatMap((text) => [text, undoneLeet(text)])
  return spelled.some((text) => common?.has(text) || common?.has(text.replace(/[^\p{L}\p{N}]/gu, '')))
}

/** Few characters, or a few of them again and again. */
function isRepetition(text: string): boolean {
  if (new Set(text).size < 5) return true
  for (let length = 1; length < OWN_CHARACTERS + 1; length++) {
    const unit = text.slice(0, length)
    if (unit.repeat(Math.ceil(text.length / length)).startsWith(text)) return true
  }
  return false
}

/** Of each run only its first character. */
function withoutRuns(text: string): string {
  const letters = Array.from(text)
  return letters
    .filter((letter, at) => {
      const before = letters[at - 1]
      return before === undefined || !(before === letter || neighbours.has(before + letter))
    })
    .join('')
}

/** Whether one of the words is in it, and hardly a letter beside. */
function hasLittleElse(lower: string, words: readonly string[]): boolean {
  return [lower, undoneLeet(lower)].some((text) => {
    const rest = words.reduce((left, word) => left.replaceAll(word, ' '), text)
    if (rest === text) return false
    const parts = rest.split(/[^\p{L}]+/u).map(withoutRuns)
    return parts.join('').length < OWN_LETTERS
  })
}

function ownWords({ email, name }: Owner): string[] {
  const [local = '', domain = ''] = email.toLowerCase().split('@')
  const names = name.toLowerCase().split(/[^\p{L}\p{N}]+/u)
  const parts = [
    email.toLowerCase(),
    local,
    ...local.split(/[^\p{L}\p{N}]+/u),
    ...domain.split('.'),
    ...names,
  ]
  const together = [names.join(''), local.replace(/[^\p{L}\p{N}]/gu, '')]
  return [...parts, ...together].filter((word) => word.length >= 4)
}

function undoneLeet(text: string): string {
  return Array.from(text)
    .map((letter) => leet[letter] ?? letter)
    .join('')
}
