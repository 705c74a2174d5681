import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { claimValues, type CurrentMembership, membershipChanges } from './memberships.ts'

const PROVIDER = 'sso'
const rules = {
  claim: 'groups',
  mappings: [
    { value: 'admins', organizationId: 'one', roleId: 'one-admin' },
    { value: 'ops', organizationId: 'one', roleId: 'one-operator' },
    { value: 'ops', organizationId: 'two', roleId: 'two-operator' },
  ],
  defaultMembership: { organizationId: 'one', roleId: 'one-viewer' },
  isStrict: false,
}
const none = { isRefused: false, added: [], changed: [], removed: [] }

function has(
  organizationId: string,
  roleId: string,
  providerId: string | null = PROVIDER,
  isLastAdministrator = false,
): CurrentMembership {
  return { organizationId, roleId, providerId, isLastAdministrator }
}

function changes(groups: unknown, current: CurrentMembership[] = [], more: Partial<typeof rules> = {}) {
  return membershipChanges({
    rules: { ...rules, ...more },
    providerId: PROVIDER,
    claims: { groups },
    current,
  })
}

describe('the memberships that a provider gives', () => {
  it('are those of the mappings that fit, of each organization the first', () => {
    assert.deepEqual(changes(['ops', 'admins', 'others']), {
      ...none,
      added: [
        { organizationId: 'one', roleId: 'one-admin' },
        { organizationId: 'two', roleId: 'two-operator' },
      ],
    })
    assert.deepEqual(changes('admins').added, [{ organizationId: 'one', roleId: 'one-admin' }])
  })

  it('are the default where none fits, and nothing without one', () => {
    assert.deepEqual(changes([]).added, [rules.defaultMembership])
    assert.deepEqual(changes(undefined, [], { defaultMembership: null as never }), none)
  })

  it('change and go with the groups', () => {
    assert.deepEqual(changes(['ops'], [has('one', 'one-admin'), has('three', 'three-viewer')]), {
      isRefused: false,
      added: [{ organizationId: 'two', roleId: 'two-operator' }],
      changed: [{ organizationId: 'one', roleId: 'one-operator' }],
      removed: ['three'],
    })
  })

  it('leave those alone that a person or another provider gave', () => {
    const current = [has('one', 'one-viewer', null), has('three', 'three-viewer', 'other')]
    assert.deepEqual(changes(['admins'], current), none)
  })

  it('all go, and the sign-in is refused, where strict rules have no mapping that fits', () => {
    const current = [has('one', 'one-admin'), has('two', 'two-viewer', null)]
    assert.deepEqual(changes(['others'], current, { isStrict: true }), {
      ...none,
      isRefused: true,
      removed: ['one'],
    })
    assert.equal(changes(['ops'], [], { isStrict: true }).isRefused, false)
  })

  it('of the last who may give out roles in an organization stay', () => {
    const current = [has('one', 'one-admin', PROVIDER, true)]
    assert.deepEqual(changes(['ops'], current).changed, [])
    assert.deepEqual(changes(['others'], current, { isStrict: true }).removed, [])
  })

  it('are the same whatever comes: added once, never taken from others, stable when repeated', () => {
    const organization = fc.constantFrom<string[]>('one', 'two', 'three')
    const role = fc.constantFrom('viewer', 'operator', 'admin')
    const group = fc.constantFrom('a', 'b', 'c')
    const current = fc.uniqueArray(
      fc.record({
        organizationId: organization,
        roleId: role,
        providerId: fc.constantFrom(null, PROVIDER, 'other'),
        isLastAdministrator: fc.boolean(),
      }),
      { selector: ({ organizationId }) => organizationId },
    )
    const anyRules = fc.record({
      claim: fc.constantFrom('groups', null),
      mappings: fc.array(fc.record({ value: group, organizationId: organization, roleId: role })),
      defaultMembership: fc.option(fc.record({ organizationId: organization, roleId: role })),
      isStrict: fc.boolean(),
    })
    fc.assert(
      fc.property(anyRules, fc.array(group), current, (rules, groups, current) => {
        const order = { rules, providerId: PROVIDER, claims: { groups } }
        const { isRefused, added, changed, removed } = membershipChanges({ ...order, current })
        const before = new Map(current.map((one) => [one.organizationId, one]))
        for (const { organizationId } of added) assert.ok(!before.has(organizationId))
        for (const id of [...changed.map(({ organizationId }) => organizationId), ...removed]) {
          assert.equal(before.get(id)?.providerId, PROVIDER)
          assert.equal(before.get(id)?.isLastAdministrator, false)
        }
        if (isRefused) assert.deepEqual([added, changed], [[], []])
        const allowed = new Set([
          ...rules.mappings
            .filter(({ value }) => rules.claim !== null && groups.includes(value))
            .map(({ organizationId, roleId }) => `${organizationId} ${roleId}`),
          ...(rules.defaultMembership
            ? [`${rules.defaultMembership.organizationId} ${rules.defaultMembership.roleId}`]
            : []),
        ])
        for (const { organizationId, roleId } of [...added, ...changed]) {
          assert.ok(allowed.has(`${organizationId} ${roleId}`))
        }
        const after = [
          ...current
            .filter(({ organizationId }) => !removed.includes(organizationId))
            .map((one) => ({ ...one, ...changed.find((c) => c.organizationId === one.organizationId) })),
          ...added.map((one) => ({ ...one, providerId: PROVIDER, isLastAdministrator: false })),
        ]
        assert.equal(new Set(after.map(({ organizationId }) => organizationId)).size, after.length)
        assert.deepEqual(membershipChanges({ ...order, current: after }), {
          isRefused,
          added: [],
          changed: [],
          removed: [],
        })
      }),
    )
  })
})

describe('the values of a claim', () => {
  it('are found below dots, and under names that have dots themselves', () => {
    assert.deepEqual(claimValues({ realm_access: { roles: ['a', 'b'] } }, 'realm_access.roles'), ['a', 'b'])
    assert.deepEqual(claimValues({ 'https://x.test/roles': ['a'] }, 'https://x.test/roles'), ['a'])
    assert.deepEqual(claimValues({ 'x.y': { z: 'a' } }, 'x.y.z'), ['a'])
    assert.deepEqual(claimValues({ groups: 7 }, 'groups'), ['7'])
  })

  it('are none where there is nothing, or nothing that is a text', () => {
    const places = [null, [], 'groups', {}, { groups: {} }, { groups: [{}, null] }, { a: { groups: ['x'] } }]
    for (const claims of places) assert.deepEqual(claimValues(claims, 'groups'), [])
    assert.deepEqual(claimValues({}, 'constructor.name'), [])
    assert.deepEqual(claimValues({ a: {} }, 'a.__proto__'), [])
  })
})
