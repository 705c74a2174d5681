import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { DatabaseFacts, Dump, Engine } from '../engines/engine.ts'
import { Meter } from '../lib/meter.ts'
import { findTools } from '../lib/tools.ts'
import { checkRoom } from '../lib/work-directory.ts'
import type { StoredFile } from '../volumes/volume.ts'
import { dumpBytes } from './dump.ts'
import { explained } from './explained.ts'
import type { JobContext } from './job.ts'

export interface FileDump {
  engine: Engine
  connection: unknown
  database: string
  /** Of the engine’s `dumpOptions`; the whole database if absent. */
  options?: unknown
  /** What is known already, and better than by asking. */
  facts?: DatabaseFacts | undefined
}

/**
 * Dumps a database into one file in the directory, which is checked for room and belongs to the caller. The file is there
 * as a whole, or not at all.
 */
export async function dumpToFile(
  { engine, connection, database, ...wanted }: FileDump,
  directory: string,
  job: JobContext,
): Promise<StoredFile> {
  const { signal } = job
  try {
    const tools = await findTools(engine.tools, signal)
    const [server, facts] = await Promise.all([
      engine.inspect(connection, signal),
      wanted.facts ?? engine.describe(connection, database, signal),
    ])
    const options = engine.dumpOptions.parse(wanted.options ?? {})
    const dump = engine.dump({
      connection,
      database,
      server,
      facts,
      options,
      tools,
      workDirectory: directory,
    })
    const warnings = [...(facts.warnings ?? []), ...(dump.warnings ?? [])]
    for (const warning of warnings) job.log('warning', warning)
    for (const warning of (await dump.check?.(signal)) ?? []) job.log('warning', warning)
    return await fill(engine, dump, facts.bytes ?? 0, directory, job)
  } catch (error) {
    throw explained(engine, error, signal)
  }
}

async function fill(
  engine: Engine,
  dump: Dump,
  bytes: number,
  directory: string,
  job: JobContext,
): Promise<StoredFile> {
  const { signal, log } = job
  const meter = new Meter((rawBytes) => job.progress({ phase: 'dumping', rawBytes, expectedRawBytes: bytes }))
  if (dump.source.from === 'file') {
    // It is what is wanted already: to read it once more is for the sum alone.
    const { path } = dump.source
    await checkRoom(directory, dump.source.bytes, 'A copy of the app’s database')
    const { warnings = [] } = await dump.source.make(signal)
    for (const warning of warnings) log('warning', warning)
    const reader = engine.readDump(dump.format)
    for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576, signal })) {
      reader.update(chunk as Buffer)
      meter.update(chunk as Buffer)
    }
    reader.finish()
    return { path, bytes: meter.bytes, sha256: meter.sha256 }
  }
  const path = join(directory, `dump${dump.extension}`)
  await checkRoom(directory, bytes, 'A dump of the app’s database')
  const reader = engine.readDump(dump.format)
  const checked = async function* () {
    const onStderr = (line: string) => log('info', line, { tool: dump.tool.name })
    for await (const chunk of dumpBytes(dump, signal, { onStderr })) {
      reader.update(chunk)
      meter.update(chunk)
      yield chunk
    }
    reader.finish()
  }
  await pipeline(checked(), createWriteStream(path, { mode: 0o600, flags: 'wx' }), { signal })
  const { size } = await stat(path)
  return { path, bytes: size, sha256: meter.sha256 }
}
