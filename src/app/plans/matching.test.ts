import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { databaseChoice, type DatabaseChoice } from '../../shared/plans.ts'
import { judgeDatabases, matchingDatabases, missingDatabases } from './matching.ts'

function choice(databases: DatabaseChoice, excludedDatabases: string[] = []) {
  return { databases, excludedDatabases }
}

function selected(...names: string[]): DatabaseChoice {
  return { mode: 'selected', names }
}

/** Few letters, so that patterns meet names; with what is special in paths and in regular expressions. */
const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '(', 'ä'), minLength: 1, maxLength: 8 })
const nameOrPattern = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '.', '(', 'ä', '*'),
  minLength: 1,
  maxLength: 6,
})
const names = fc.uniqueArray(name, { maxLength: 12 })

/** What a * means, said in another way. */
function asRegExp(pattern: string, star: string): RegExp {
  const pieces = pattern.split('*').map((piece) => RegExp.escape(piece))
  return new RegExp(`^${pieces.join(star)}$`, 'su')
}

describe('a choice of databases', () => {
  it('takes all but those that are excluded, by name or by pattern', () => {
    const listed = ['shop', 'shop_test', 'stock', 'template']
    assert.deepEqual(matchingDatabases(choice({ mode: 'all' }), listed), listed)
    assert.deepEqual(matchingDatabases(choice({ mode: 'all' }, ['*_test', 'template']), listed), [
      'shop',
      'stock',
    ])
    assert.deepEqual(matchingDatabases(choice(selected('s*'), ['stock']), listed), ['shop', 'shop_test'])
    assert.deepEqual(
      matchingDatabases(choice({ mode: 'pattern', include: 's.*', exclude: '.*_test' }, ['stock']), listed),
      ['shop'],
    )
  })

  it('says of each database why it is not included', () => {
    const judged = judgeDatabases(choice({ mode: 'pattern', include: 's.*', exclude: 'sold' }, ['stock']), [
      'shop',
      'sold',
      'stock',
      'other',
    ])
    assert.deepEqual(judged, [
      { database: 'shop', isIncluded: true },
      { database: 'sold', isIncluded: false, why: 'excluded' },
      { database: 'stock', isIncluded: false, why: 'excluded' },
      { database: 'other', isIncluded: false, why: 'not_matched' },
    ])
  })

  it('names what was selected and is not there', () => {
    const wanted = choice(selected('shop', 'stock', 'x*', 's*'))
    assert.deepEqual(missingDatabases(wanted, ['shop', 'sold']), ['stock', 'x*'])
    assert.deepEqual(missingDatabases(choice({ mode: 'all' }), []), [])
  })

  it('keeps to the folder of a path when it selects, and to none when it excludes', () => {
    const listed = ['/srv/a.db', '/srv/b.sqlite', '/srv/old/a.db', '/srv/old/.db']
    assert.deepEqual(matchingDatabases(choice(selected('/srv/*.db')), listed), ['/srv/a.db'])
    assert.deepEqual(matchingDatabases(choice({ mode: 'all' }, ['/srv/*.db']), listed), ['/srv/b.sqlite'])
    assert.equal(databaseChoice.safeParse(selected('/srv/*/a.db')).success, false)
    assert.equal(databaseChoice.safeParse(selected('/srv/old/*.db', 'a*b')).success, true)
  })

  it('matches a pattern with the whole name, as it is', () => {
    const match = (include: string, ...listed: string[]) =>
      matchingDatabases(choice({ mode: 'pattern', include }), listed)
    assert.deepEqual(match('shop|stock', 'shop', 'shop2', 'my_stock', 'stock'), ['shop', 'stock'])
    assert.deepEqual(match('.', 'a', 'ab', '🐘'), ['a', '🐘'])
    assert.deepEqual(match(String.raw`\p{L}+`, 'Ärzte', 'a1'), ['Ärzte'])
    assert.deepEqual(match('.*', 'a\nb', 'ab'), ['ab'], 'a line break is no letter')
  })

  it('refuses more names with * than can be compared', () => {
    const many = Array.from({ length: 501 }, (_, n) => `a${n}*`)
    assert.equal(databaseChoice.safeParse(selected(...many)).success, false)
    assert.equal(databaseChoice.safeParse(selected(...many.slice(1))).success, true)
  })

  it('gives up a pattern that takes too long, and does not try it again', () => {
    const slow = choice({ mode: 'pattern', include: '(a+)+b' })
    const isTooSlow = (error: unknown) =>
      error instanceof AppError && error.code === 'invalid_input' && /takes too long/.test(error.message)
    const evil = 'a'.repeat(60)
    assert.throws(() => matchingDatabases(slow, ['ab', evil]), isTooSlow)
    // Each try of its own would take a quarter of a second.
    for (let n = 0; n < 3000; n++) assert.throws(() => matchingDatabases(slow, [evil]), isTooSlow)
    assert.deepEqual(
      matchingDatabases(choice({ mode: 'pattern', include: 'a+b' }), ['ab', evil]),
      ['ab'],
      'others are not affected',
    )
  })

  it('compares thousands of names with hundreds of patterns without backtracking', () => {
    const patterns = Array.from({ length: 100 }, (_, n) => `${'a*'.repeat(200)}${n}`)
    const listed = Array.from({ length: 100 }, (_, n) => 'a'.repeat(900) + n)
    assert.equal(matchingDatabases(choice(selected(...patterns)), listed).length, 100)
    assert.equal(matchingDatabases(choice(selected(...patterns.map((p) => `${p}!`))), listed).length, 0)
  })
})

describe('whatever is chosen, matchingDatabases', () => {
  it('returns some of the names, in their order, and no excluded one', () => {
    const databases: fc.Arbitrary<DatabaseChoice> = fc.oneof(
      fc.constant({ mode: 'all' as const }),
      fc.array(nameOrPattern, { minLength: 1, maxLength: 5 }).map((names) => selected(...names)),
      fc.constantFrom('a.*', '[ab]+', '.', '.*/.*').map((include) => ({ mode: 'pattern' as const, include })),
    )
    fc.assert(
      fc.property(
        databases,
        fc.array(nameOrPattern, { maxLength: 4 }),
        names,
        (databases, excluded, names) => {
          const matching = matchingDatabases(choice(databases, excluded), names)
          assert.deepEqual(
            names.filter((name) => matching.includes(name)),
            matching,
          )
          const exclusions = excluded.map((pattern) => asRegExp(pattern, '.*'))
          assert.ok(!matching.some((name) => exclusions.some((exclusion) => exclusion.test(name))))
          // Each name is judged by itself.
          for (const name of names) {
            assert.equal(
              matchingDatabases(choice(databases, excluded), [name]).length === 1,
              matching.includes(name),
            )
          }
        },
      ),
    )
  })

  it('takes * for anything, and in the name of a path’s file for anything but a slash', () => {
    fc.assert(
      fc.property(nameOrPattern, names, (pattern, names) => {
        fc.pre(databaseChoice.safeParse(selected(pattern)).success)
        const expected = asRegExp(pattern, pattern.startsWith('/') ? '[^/]*' : '.*')
        assert.deepEqual(
          matchingDatabases(choice(selected(pattern)), names),
          names.filter((name) => expected.test(name) || name === pattern),
        )
      }),
    )
  })

  it('matches a pattern as the regular expression over the whole name', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('a|b', 'a.*b', '(?:a|ab)/?', String.raw`\(`, '[ab]{2,}'),
        names,
        (include, names) => {
          assert.deepEqual(
            matchingDatabases(choice({ mode: 'pattern', include }), names),
            names.filter((name) => isWhole(include, name)),
          )
        },
      ),
    )
  })
})

/** Whether the expression matches from the place that nothing stands before to the one that nothing follows. */
function isWhole(include: string, name: string): boolean {
  return new RegExp(`(?<![^])(?:${include})(?![^])`, 'v').test(name)
}
