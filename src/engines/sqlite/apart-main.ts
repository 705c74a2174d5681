import { asAppError } from '../../shared/errors.ts'
import type { OperationName, Outcome } from './apart.ts'
import { operations } from './operations.ts'

// Started by apart.ts: one operation, its request as JSON; the outcome goes to standard output as JSON.
const [name, request] = process.argv.slice(2)
const outcome = await perform(name as OperationName, JSON.parse(request ?? 'null'))
process.stdout.write(JSON.stringify(outcome))

async function perform(name: OperationName, request: unknown): Promise<Outcome> {
  try {
    const operation = operations[name] as (request: unknown) => unknown
    return { result: (await operation(request)) ?? null }
  } catch (thrown) {
    const { code, message, hint } = asAppError(thrown)
    return { error: { code, message, hint } }
  }
}
