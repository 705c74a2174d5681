import { gzip } from 'node:zlib'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import { version } from '../../shared/version.ts'
import type { AppRoutes } from '../app.ts'
import { pagePolicy } from '../security-headers.ts'

const settings = {
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  persistAuth: false,
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
}

/** The description of the API for people, at /api/docs. */
export function apiDocsRoutes(): AppRoutes {
  let script: Promise<Buffer> | undefined
  const load = async () => {
    try {
      return await (script ??= loadScript())
    } catch (error) {
      script = undefined
      throw error
    }
  }
  return async (app) => {
    const common = { config: { isPublic: true }, schema: { hide: true } }
    app.get('/api/docs', common, async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .headers({ 'content-security-policy': pagePolicy, 'cache-control': 'no-cache' })
        .send(PAGE),
    )
    app.get('/api/docs/reference.js', common, async (_request, reply) => {
      const program = await load()
      return reply
        .type('text/javascript; charset=utf-8')
        .headers({ 'content-encoding': 'gzip', 'cache-control': 'public, max-age=31536000, immutable' })
        .send(program)
    })
  }
}

/**
 * The page's program, compressed. It has some megabytes, and comes with a plugin for Fastify that would load them at each
 * start: so the plugin gets an app of its context, and only when somebody wants to read.
 */
async function loadScript(): Promise<Buffer> {
  const { default: reference } = await import('@scalar/fastify-api-reference')
  await using app = Fastify()
  await app.register(reference, { routePrefix: '/reference', configuration: { url: 'openapi.json' } })
  const { rawPayload, statusCode } = await app.inject('/reference/js/scalar.js')
  if (statusCode !== 200) throw new Error(`The page’s program is not where it was: ${statusCode}.`)
  return await promisify(gzip)(rawPayload)
}

// Addresses are relative, so that it does not matter below which path a proxy shows them.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast API</title>
</head>
<body>
<script id="api-reference" data-url="openapi.json" data-configuration="${escaped(JSON.stringify(settings))}"></script>
<script src="docs/reference.js?v=${version}"></script>
</body>
</html>
`

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}
