import { type FileHandle, open } from 'node:fs/promises'

export interface ElfFile {
  /** It can be started: it names a loader. */
  program: boolean
  /** Where it wants its libraries looked for, before the usual places. */
  libraryPath: string[]
}

interface Segment {
  type: number
  offset: number
  address: number
  bytes: number
}

const LOAD = 1
const DYNAMIC = 2
const INTERPRETER = 3
const STRING_TABLE = 5n
const RPATH = 15n
const RUNPATH = 29n

/** Undefined if the file is not a 64-bit little-endian ELF file. */
export async function readElf(path: string): Promise<ElfFile | undefined> {
  await using file = await open(path)
  const header = await readAt(file, 0, 64)
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header.readUInt16LE(4) !== 0x0102) {
    return undefined
  }
  const segments = await readSegments(file, header)
  return {
    program: segments.some((segment) => segment.type === INTERPRETER),
    libraryPath: await readLibraryPath(file, segments),
  }
}

async function readSegments(file: FileHandle, header: Buffer): Promise<Segment[]> {
  const size = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  const table = await readAt(file, Number(header.readBigUInt64LE(32)), size * count)
  return Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * size, (index + 1) * size)
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      bytes: Number(entry.readBigUInt64LE(32)),
    }
  })
}

async function readLibraryPath(file: FileHandle, segments: Segment[]): Promise<string[]> {
  const dynamic = segments.find((segment) => segment.type === DYNAMIC)
  if (!dynamic) return []
  const entries = await readAt(file, dynamic.offset, dynamic.bytes)
  const paths: number[] = []
  let strings = 0
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const tag = entries.readBigUInt64LE(at)
    const value = Number(entries.readBigUInt64LE(at + 8))
    if (tag === STRING_TABLE) strings = value
    if (tag === RPATH || tag === RUNPATH) paths.push(value)
  }
  const loaded = segments.find(
    ({ type, address, bytes }) => type === LOAD && address <= strings && strings < address + bytes,
  )
  if (!loaded) return []
  const table = loaded.offset + strings - loaded.address
  const texts = await Promise.all(paths.map((path) => readAt(file, table + path, 4096)))
  return texts.flatMap((text) => text.subarray(0, text.indexOf(0)).toString().split(':'))
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}
