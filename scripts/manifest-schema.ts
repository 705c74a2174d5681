// Writes docs/formats/manifest.schema.json from src/shared/snapshots.ts; a test says when it is out of date.
import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { manifest } from '../src/shared/snapshots.ts'

/** The JSON Schema of a manifest, as it is published. */
export function manifestJsonSchema(): string {
  const schema = z.toJSONSchema(manifest, { io: 'input' })
  return `${JSON.stringify({ title: 'Holdfast snapshot manifest', ...schema }, null, 2)}\n`
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/formats/manifest.schema.json', import.meta.url), manifestJsonSchema())
}
