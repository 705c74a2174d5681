import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCompression } from './codecs.ts'

describe('a compression in words', () => {
  it('is read with its level and threads', () => {
    assert.deepEqual(parseCompression('none'), { method: 'none' })
    assert.deepEqual(parseCompression('gzip'), { method: 'gzip', level: 6 })
    assert.deepEqual(parseCompression('gzip:9'), { method: 'gzip', level: 9 })
    assert.deepEqual(parseCompression('zstd'), { method: 'zstd', level: 3, threads: 1 })
    assert.deepEqual(parseCompression('zstd:19:0'), { method: 'zstd', level: 19, threads: 0 })
  })

  for (const wrong of [
    '',
    'lz4',
    'zstd:0',
    'zstd:20',
    'zstd:3.5',
    'gzip:10',
    'gzip:1:2',
    'none:1',
    'zstd:3:4:5',
    'zstd:',
    'zstd:x',
  ]) {
    it(`refuses “${wrong}”`, () => {
      assert.throws(() => parseCompression(wrong), { code: 'invalid_input' })
    })
  }
})
