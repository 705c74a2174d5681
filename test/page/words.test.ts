import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openApp } from '../../src/app/test-bed.ts'
import { testStepNames } from '../../src/shared/test-report.ts'
import { describeStores } from '../../src/store/test-bed.ts'
import { dictionaryOf, madeUpIn, pageSources, placeholdersOf, wordsIn, wordsInDescription } from './words.ts'

const languages = ['de', 'es', 'fr', 'zh'] as const
const sources = pageSources()
const ownWords = wordsIn(sources).union(new Set(testStepNames))

/** What the app describes, and the page shows in the reader's language. */
const described = [
  'abilities',
  'channel-kinds',
  'engines',
  'hook-kinds',
  'hook-variables',
  'identity-provider-kinds',
  'notification-events',
  'volume-kinds',
]

/** In a dictionary, words with a count stand in each of their forms. */
function entriesOf(words: Iterable<string>): string[] {
  return [...words].flatMap((word) =>
    placeholdersOf(word).includes('count') ? [`${word}_one`, `${word}_other`] : [word],
  )
}

describe('the words of the page', () => {
  it('are sentences that stand where they are said', () => {
    assert.ok(ownWords.size > 300, 'the sources were read')
    assert.deepEqual(madeUpIn(sources), [])
  })

  it('are in English for one and for many', () => {
    const wanted = entriesOf(ownWords).filter((entry) => /_(one|other)$/.test(entry))
    const english = dictionaryOf('en')
    assert.deepEqual(Object.keys(english).sort(), [...wanted].sort())
    for (const [entry, words] of Object.entries(english)) checkPlaceholders('en', entry, words)
  })
})

describeStores(
  'the words of the page in other languages',
  (makePlace) => {
    for (const language of languages) {
      it(`are complete: ${language}`, async () => {
        await using app = await openApp(makePlace)
        const answers = await Promise.all(described.map((path) => app.ask('GET', `/api/v1/${path}`)))
        for (const answer of answers) assert.equal(answer.statusCode, 200, answer.body)
        const theirWords = answers.flatMap((answer) => [...wordsInDescription(answer.json())])
        const wanted = new Set([...entriesOf(ownWords), ...theirWords])
        const dictionary = dictionaryOf(language)
        const known = new Set(Object.keys(dictionary))
        assert.deepEqual([...wanted.difference(known)].sort(), [], 'words that it lacks')
        assert.deepEqual([...known.difference(wanted)].sort(), [], 'words that nobody says any more')
        for (const [entry, words] of Object.entries(dictionary)) checkPlaceholders(language, entry, words)
      })
    }
  },
  'sqlite',
)

/** None is lost, and none is new; but “one plan” need not say its number. */
function checkPlaceholders(language: string, entry: string, words: string): void {
  assert.notEqual(words.trim(), '', `${language}: ${entry}`)
  const isCounted = /_(one|other)$/.test(entry)
  const wanted = placeholdersOf(entry).filter((name) => !isCounted || name !== 'count')
  const found = placeholdersOf(words).filter((name) => !isCounted || name !== 'count')
  assert.deepEqual(found, wanted, `${language}: ${entry}`)
}
