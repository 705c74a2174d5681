import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearest } from './nearest.ts'

describe('the nearest word', () => {
  const known = ['HOLDFAST_HOST', 'HOLDFAST_PORT', 'HOLDFAST_DATA_DIR', 'LOG_LEVEL']

  it('is the one with the fewest differences', () => {
    const cases: [string, string | undefined][] = [
      ['HOLDFAST_PORT', 'HOLDFAST_PORT'],
      ['HOLDFAST_PROT', 'HOLDFAST_PORT'],
      ['HOLDFAST_POR', 'HOLDFAST_PORT'],
      ['HOLDFAST_HOSTS', 'HOLDFAST_HOST'],
      ['HOLDFAST_DATADIR', 'HOLDFAST_DATA_DIR'],
      ['HOLDFAST_DATA_DIRECTORY', 'HOLDFAST_DATA_DIR'],
      ['LOGLEVEL', 'LOG_LEVEL'],
      ['LEVEL', undefined],
      ['', undefined],
      ['ABSOLUTELY_SOMETHING_ELSE', undefined],
    ]
    for (const [word, expected] of cases) assert.equal(nearest(word, known), expected, word)
  })
})
