import { availableParallelism } from 'node:os'
import type { Dump, DumpContents, DumpReader } from '../engines/engine.ts'
import { compress, decompress, zstdCommand } from '../lib/compression.ts'
import { fanOut } from '../lib/fan-out.ts'
import type { Meter } from '../lib/meter.ts'
import { stdoutThroughProgram, type Command } from '../lib/process.ts'
import { zstdProgram } from '../lib/programs.ts'
import { findTools } from '../lib/tools.ts'
import type { Compression } from '../shared/codecs.ts'
import { dumpBytes, type DumpRunOptions } from './dump.ts'
import type { JobContext } from './job.ts'

/** The longest time that a timer takes: 24 days. */
const FOR_EVER = 2 ** 31 - 1

export interface CompressedDump {
  /** Ends only if the tools have succeeded and the raw dump was seen to end as its format ends. */
  bytes: AsyncIterable<Uint8Array>
  /** What the dump contains; complete when the bytes have ended. */
  contents: DumpContents
}

/**
 * A dump on its way to the volumes: run, measured and checked while it is raw, then compressed. In this process as a
 * rule; with several threads by the zstd program, to which the kernel carries the tool's output. Then the raw bytes
 * are looked at on a second way: the compressed ones are unpacked again.
 */
export async function compressedDump(
  dump: Dump,
  reader: DumpReader,
  raw: Meter,
  compression: Compression,
  job: JobContext,
): Promise<CompressedDump> {
  const contents: DumpContents = {}
  const options: DumpRunOptions = {
    onStderr: (line) => job.log('info', line, { tool: dump.tool.name }),
    onContents: (found) => add(contents, found),
  }
  const checked = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of bytes) {
      reader.update(chunk)
      raw.update(chunk)
      yield chunk
    }
    add(contents, reader.finish())
  }

  const zstd = await zstdProgramFor(dump, compression, job.signal)
  if (!zstd) {
    const bytes = compress(checked(dumpBytes(dump, job.signal, options)), compression, job.signal)
    return { bytes, contents }
  }
  const packed = dumpBytes(dump, job.signal, {
    ...options,
    runStdout: (command, signal, run) => stdoutThroughProgram(command, zstd, signal, run),
  })
  const check = (bytes: AsyncIterable<Uint8Array>) => consume(checked(decompress(bytes, 'zstd', job.signal)))
  return { bytes: endingAfter(packed, check), contents }
}

function add(contents: DumpContents, found: DumpContents): void {
  const warnings = [...(contents.warnings ?? []), ...(found.warnings ?? [])]
  Object.assign(contents, found, warnings.length > 0 && { warnings })
}

/** The zstd program, if the compression asks for more than one thread, it is installed, and no filter is before it. */
async function zstdProgramFor(
  dump: Dump,
  compression: Compression,
  signal: AbortSignal,
): Promise<Command | undefined> {
  if (compression.method !== 'zstd' || dump.source.from !== 'stdout' || dump.source.filter) return undefined
  const threads = compression.threads || availableParallelism()
  if (threads === 1) return undefined
  const [program] = await findTools([zstdProgram], signal)
  return program && zstdCommand(program.path, compression.level, threads)
}

/**
 * The bytes, whose end waits until they have passed the check; if it fails, its error comes instead of the end. Nothing
 * begins before the first byte is asked for, and nothing runs any more when the reader has its end or has left.
 */
async function* endingAfter(
  bytes: AsyncIterable<Uint8Array>,
  check: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): AsyncGenerator<Uint8Array, void> {
  const { branches, closed } = fanOut(bytes, 2, { patience: FOR_EVER })
  const [main, side] = branches
  if (!main || !side) throw new Error('fanOut gave fewer branches than asked for')
  const checking = check(side)
  checking.catch(() => {}) // heard behind the last byte
  try {
    yield* main
    await checking
  } finally {
    main.leave()
    side.leave()
    await closed
  }
}

async function consume(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of bytes) {
    // looked at on the way
  }
}
