import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

// One SHA-256 over 2^19 times (password in UTF-16LE, counter as 64 bits little-endian). Hashing many rounds at
// once is several times faster than one call for each.
const ROUNDS = 2 ** 19
const ROUNDS_AT_ONCE = 2 ** 12

const password = Buffer.from(workerData as string, 'utf16le')
const unit = password.length + 8
const rounds = Buffer.alloc(unit * ROUNDS_AT_ONCE)
for (let i = 0; i < ROUNDS_AT_ONCE; i++) password.copy(rounds, i * unit)

const hash = createHash('sha256')
for (let round = 0; round < ROUNDS; round++) {
  const i = round % ROUNDS_AT_ONCE
  rounds.writeUInt32LE(round, i * unit + password.length)
  if (i === ROUNDS_AT_ONCE - 1) hash.update(rounds)
}
parentPort?.postMessage(new Uint8Array(hash.digest()))
