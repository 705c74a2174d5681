import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { AppError, asAppError } from '../shared/errors.ts'
import type { Problem } from '../shared/problems.ts'

/** Answers with what went wrong. What nobody foresaw is logged with its stack, and told to the caller without. */
export async function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const problem = problemOf(error)
  if (problem.code === 'internal') request.log.error({ err: error }, 'A request failed unexpectedly.')
  if (error instanceof AppError && error.retryAfter !== undefined) {
    reply.header('retry-after', String(error.retryAfter))
  }
  await reply.code(problem.status).type('application/problem+json').send(problem)
}

export function problemOf(thrown: unknown): Problem {
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const errors = thrown.validation.map(({ instancePath, message }) => ({
      field: instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: message ?? 'It is not valid.',
    }))
    const [first] = errors
    const { validationContext = 'request' } = thrown as Partial<FastifyError>
    const title = `${first?.field || validationContext}: ${first?.message ?? 'It is not valid.'}`
    return { ...describe(new AppError('invalid_input', title)), errors }
  }
  const { statusCode, message } = thrown as Partial<FastifyError>
  // What Fastify itself refuses: JSON that is none, a body that is too large, a type that is not JSON.
  if (!(thrown instanceof AppError) && statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return {
      ...describe(new AppError('invalid_input', message ?? 'The request is not valid.')),
      status: statusCode,
    }
  }
  const error = asAppError(thrown)
  return describe(
    error.code === 'internal' ? new AppError('internal', 'Something unexpected went wrong.') : error,
  )
}

function describe({ code, message, hint, retryable, status, fields }: AppError): Problem {
  const type = `urn:holdfast:error:${code}`
  return { type, title: message, status, code, hint, retryable, ...(fields && { errors: [...fields] }) }
}
