/**
 * Runs beside a test process and outlives it: what the test process could not take away because it was killed is
 * taken away here. It is told on its standard input, one JSON line for each thing, and begins when that ends.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Leftover } from './leftovers.ts'
import { isAlive, killIfAlive, type ProcessName } from './process-table.ts'

const execute = promisify(execFile)
const leftovers: Leftover[] = []
for await (const line of createInterface({ input: process.stdin })) {
  leftovers.push(JSON.parse(line) as Leftover)
}
for (const leftover of leftovers.reverse()) {
  try {
    await takeAway(leftover)
  } catch (error) {
    console.error(`Could not take away ${JSON.stringify(leftover)}:`, error)
  }
}

async function takeAway(leftover: Leftover): Promise<void> {
  switch (leftover.kind) {
    case 'process':
      return await waitForEnd(leftover)
    case 'mount':
      if (readFileSync('/proc/mounts', 'utf8').includes(` ${leftover.path} `)) {
        await execute('umount', ['--lazy', leftover.path])
      }
      return
    case 'user':
      if (readFileSync('/etc/passwd', 'utf8').includes(`\n${leftover.name}:`)) {
        await execute('userdel', [leftover.name])
      }
      return
    case 'folder':
      await rm(leftover.path, { recursive: true, force: true, maxRetries: 20 })
      return
    default:
      leftover satisfies never
  }
}

/** The kernel has already told it to stop, because its parent is gone. */
async function waitForEnd(name: ProcessName): Promise<void> {
  const patientUntil = Date.now() + 10_000
  while (isAlive(name)) {
    if (Date.now() > patientUntil) killIfAlive(name)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
