import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../shared/errors.ts'
import { describeError } from './terminal.ts'

const described = (cause: unknown) => describeError(new AppError('volume_refused', 'It said no.', { cause }))

describe('an error as people read it', () => {
  it('tells what was behind it', () => {
    assert.equal(described(new Error('the lock is jammed')), 'It said no.\n  because: the lock is jammed')
  })

  it('leaves out what was behind it if that says nothing, or has been said', () => {
    for (const message of ['UnknownError', 'Unknown', 'Error', '', 'said no'])
      assert.equal(described(new Error(message)), 'It said no.')
  })
})
