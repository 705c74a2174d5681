import { engineOfUrl } from '../../engines/index.ts'
import { AppError } from '../../shared/errors.ts'
import type { ConnectionOfString } from '../../shared/servers.ts'

/**
 * What a connection string says of a server, for a form to be filled in with: what it leaves out is not made up, neither
 * from the environment of the app nor from its machine. Throws `invalid_input`, which quotes nothing that may be a secret.
 */
export function readConnectionString(url: string): ConnectionOfString {
  try {
    const { engineName, engine } = engineOfUrl(url)
    const { connection, database = null } = engine.fromUrl(url, {}, 'elsewhere')
    const settings = connection as Record<string, unknown>
    const { error } = engine.connection.safeParse(settings)
    // What is missing is for the form to ask.
    const wrong = error?.issues.find(
      ({ path: [name] }) => name === undefined || Object.hasOwn(settings, name),
    )
    if (!wrong) return { engine: engineName, connection: settings, database }
    throw new AppError(
      'invalid_input',
      `In the ${engine.label} URL: ${wrong.path.join('.')}: ${wrong.message}`,
    )
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error
    const { message, hint } = error
    throw new AppError('invalid_input', message, { hint, cause: error, fields: [{ field: 'url', message }] })
  }
}
