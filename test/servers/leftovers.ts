import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { ProcessName } from './process-table.ts'

/** Something a killed test process would leave behind. */
export type Leftover =
  | ({ kind: 'process' } & ProcessName)
  | { kind: 'mount'; path: string }
  | { kind: 'user'; name: string }
  | { kind: 'folder'; path: string }

let reaper: ChildProcess | undefined

/**
 * Has it taken away when this process ends, in whatever way. To be told before the thing comes into being where
 * that is possible; nothing needs to be taken back once it is gone.
 */
export function takeAwayAtTheEnd(leftover: Leftover): void {
  reaper ??= startReaper()
  reaper.stdin?.write(`${JSON.stringify(leftover)}\n`)
}

function startReaper(): ChildProcess {
  // Detached, or else Ctrl-C would end it too; without the test runner's hooks, or else it would run as a test.
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts')], {
    detached: true,
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.unref()
  const stdin = child.stdin as Socket
  stdin.unref()
  return child
}
