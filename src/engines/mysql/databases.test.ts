import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkTarget } from './databases.ts'
import { connectionSettings } from './settings.ts'

describe('the databases of a MySQL server itself', () => {
  const connection = connectionSettings.parse({ user: 'nobody', port: 1 })

  for (const name of ['mysql', 'sys', 'information_schema', 'performance_schema', 'MySQL', 'SYS']) {
    it(`are no targets of a restore: ${name}`, async () => {
      await assert.rejects(checkTarget(connection, name), {
        code: 'invalid_input',
        message: new RegExp(name),
      })
    })
  }

  it('are no others', async () => {
    for (const name of ['mysql2', 'shop', 'sys_shop', '']) await checkTarget(connection, name)
  })
})
