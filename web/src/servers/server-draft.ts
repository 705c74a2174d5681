import type { Server } from '../../../src/shared/servers.ts'
import type { Settings } from '../parts/schema-form.tsx'

/** A server as a form has it. */
export interface ServerDraft {
  name: string
  engine: string
  connection: Settings
  labels: Record<string, string>
  isProduction: boolean
  isProtected: boolean
  maxRunning: number
}

export function draftOf({
  name,
  engine,
  connection,
  labels,
  isProduction,
  isProtected,
  maxRunning,
}: Server): ServerDraft {
  return { name, engine, connection, labels, isProduction, isProtected, maxRunning }
}

/** What may change: a server stays of its engine. */
export function changesOf(draft: ServerDraft): Omit<ServerDraft, 'engine'> {
  const { engine: _, ...changes } = draft
  return changes
}

/** What a server may be called as long as nobody has called it anything: its host, or its file. */
export function nameFrom({ host, path, socket }: Settings): string {
  const place = [path, socket, host].find((one): one is string => typeof one === 'string' && one !== '') ?? ''
  return place.slice(place.lastIndexOf('/') + 1).slice(0, 100)
}
