import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'

/** Prints the names of all packages that were loaded. */
const watch = `
  import { registerHooks } from 'node:module'
  const loaded = new Set()
  registerHooks({
    load(url, context, next) {
      loaded.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1])
      return next(url, context)
    },
  })
  process.on('exit', () => console.error([...loaded].join(' ')))`

it('the command line starts without the app and its store', async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    `--import=data:text/javascript,${encodeURIComponent(watch)}`,
    join(import.meta.dirname, 'main.ts'),
    '--version',
  ])
  assert.match(stderr, /\bcommander\b/)
  assert.doesNotMatch(stderr, /\b(kysely|pg|fastify)\b/)
})
