import { createReadStream } from 'node:fs'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import type { Dump, DumpContents } from '../engines/engine.ts'
import { run, stdoutOf, type RunOptions } from '../lib/process.ts'
import { checkRoom } from '../lib/work-directory.ts'

export interface DumpRunOptions extends RunOptions {
  /** Runs a command whose standard output is the dump, not to be filtered; `stdoutOf` if absent. */
  runStdout?: typeof stdoutOf
  /** Hears, before the last byte, what is known of the dump besides its bytes. */
  onContents?: (contents: DumpContents) => void
}

/**
 * The raw dump as a stream, which ends only if everything that makes it has succeeded. What a tool insists on
 * writing to the disk is checked for room before, and removed file by file as it is read.
 */
export async function* dumpBytes(
  dump: Dump,
  signal: AbortSignal,
  options: DumpRunOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const warnings = await dump.check?.(signal)
  if (warnings?.length) options.onContents?.({ warnings })
  await using _secrets = await writeSecretFiles(dump.secretFiles)
  const { source } = dump
  switch (source.from) {
    case 'stdout': {
      const bytes = (options.runStdout ?? stdoutOf)(source.command, signal, options)
      yield* source.filter ? source.filter(bytes) : bytes
      return
    }
    case 'directory':
      await checkRoom(join(source.directory, '..'), source.bytes, `${dump.tool.name} --format=${dump.format}`)
      await run(source.command, signal, options)
      yield* packDirectory(source.directory, signal)
      return
    case 'file':
      await checkRoom(join(source.path, '..'), source.bytes, `A consistent copy of the database`)
      try {
        const contents = await source.make(signal)
        options.onContents?.(contents)
        yield* createReadStream(source.path, { highWaterMark: 1_048_576, signal })
      } finally {
        await rm(source.path, { force: true })
      }
      return
    default: {
      const never: never = source
      throw never
    }
  }
}

/** Writes files that hold secrets with mode 0600; disposing removes them. */
export async function writeSecretFiles(files: Record<string, string> | undefined): Promise<AsyncDisposable> {
  const paths = Object.keys(files ?? {})
  const remove = async () => {
    await Promise.all(paths.map((path) => rm(path, { force: true })))
  }
  try {
    for (const [path, text] of Object.entries(files ?? {})) {
      await writeFile(path, text, { mode: 0o600, flag: 'wx' })
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { [Symbol.asyncDispose]: remove }
}

/** The directory's files as one tar, sorted by name; each file is removed when it has been packed. */
async function* packDirectory(directory: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const pack = tar.pack({ highWaterMark: 1_048_576 })
  const filled = (async () => {
    for (const name of (await readdir(directory)).sort()) {
      const path = join(directory, name)
      const { size, mtime } = await stat(path)
      await pipeline(
        createReadStream(path, { highWaterMark: 1_048_576 }),
        pack.entry({ name, size, mtime }),
        { signal },
      )
      await rm(path)
    }
    pack.finalize()
  })()
  filled.catch((error: Error) => pack.destroy(error))
  try {
    yield* pack as AsyncIterable<Uint8Array>
    await filled
  } finally {
    pack.destroy()
  }
}
