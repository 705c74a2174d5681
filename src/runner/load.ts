import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import type { Restore, StdinTarget } from '../engines/engine.ts'
import { makeFolders } from '../lib/make-folders.ts'
import { feedStdin, pipeThrough, run, stdoutOf, type RunOptions } from '../lib/process.ts'
import { AppError } from '../shared/errors.ts'
import { writeSecretFiles } from './dump.ts'

/**
 * Loads a raw dump into a database. Resolves only when the tool has succeeded, the bytes have ended without an
 * error, and the engine's own check has passed. If the bytes throw, the tool is killed before it could take the end
 * of its input for a reason to commit. Room for what a tool insists on having as a file is the caller's to check.
 */
export async function loadDump(
  restore: Restore,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  options: RunOptions = {},
): Promise<void> {
  await using _secrets = await writeSecretFiles(restore.secretFiles)
  const { target } = restore
  switch (target.into) {
    case 'stdin':
      await feed(target, bytes, signal, options)
      break
    case 'file':
      await pipeline(bytes, createWriteStream(target.path, { mode: 0o600, flags: 'wx', flush: true }), {
        signal,
      })
      await restore.prepare?.(signal)
      if (target.command) {
        await run(target.command, signal, options)
        await rm(target.path, { force: true })
      }
      break
    case 'directory':
      await unpack(bytes, target.directory, signal)
      await restore.prepare?.(signal)
      if (target.script) {
        await feed(target.script, stdoutOf(target.command, signal, options), signal, options)
      } else {
        await run(target.command, signal, options)
      }
      break
    default: {
      const never: never = target
      throw never
    }
  }
  await restore.check?.(signal)
}

/** Feeds the bytes, through all stages, into the tool. Resolves only when the tool has succeeded. */
export async function feed(
  target: StdinTarget,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  options: RunOptions = {},
): Promise<void> {
  let staged = bytes
  for (const stage of target.through ?? []) {
    staged = typeof stage === 'function' ? stage(staged, signal) : pipeThrough(stage, staged, signal, options)
  }
  await feedStdin(target.command, staged, signal, options)
}

/** Unpacks a tar of plain files into the directory. Anything that would leave it is refused. */
async function unpack(
  bytes: AsyncIterable<Uint8Array>,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  await makeFolders(directory, 0o700)
  const extract = tar.extract()
  const fed = pipeline(Readable.from(bytes, { objectMode: false }), extract, { signal })
  fed.catch(() => {}) // awaited below, when the entries have been read
  for await (const entry of extract) {
    const { name, type } = entry.header
    if (type !== 'file' || !/^\w[\w.-]*$/.test(name)) {
      throw new AppError('manifest_invalid', `The archive contains “${name}”, which has no place in a dump.`)
    }
    await pipeline(entry, createWriteStream(join(directory, name), { mode: 0o600, flags: 'wx' }), { signal })
  }
  await fed
}
