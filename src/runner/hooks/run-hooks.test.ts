import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runHooks } from './run-hooks.ts'

it('a script that has failed says how, also if its time goes by while what it has left is ended', async () => {
  const script = `(trap '' TERM; exec sleep 9999) >/dev/null 2>&1 & sleep 0.2; exit 3`
  const hook = { name: 'deaf', kind: 'script', settings: () => ({ script }), isHook: true } as const
  const { outcomes } = await runHooks(
    [{ ...hook, onFailure: 'warn', timeout: 2_500 }],
    { around: 'backup', moment: 'after', facts: {} },
    { signal: new AbortController().signal, workDirectory: undefined, log() {}, progress() {} },
  )
  assert.equal(outcomes[0]?.message, 'its exit code is 3')
})
