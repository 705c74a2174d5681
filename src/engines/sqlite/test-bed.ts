import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/** A folder for database files, and the other processes that use them. Disposing ends and removes all. */
export interface SqliteBed extends AsyncDisposable {
  folder: string
  /** An empty directory, as each job gets one. */
  workDirectory(): string
  /** Makes a database, or changes it, and closes it. */
  make(name: string, sql: string): string
  /** Runs a module's text in another process, until it writes a line or ends. `db` is the open database. */
  elsewhere(path: string, code: string): Promise<Elsewhere>
}

export interface Elsewhere {
  pid: number
  /** What it has written so far. */
  said(): string
  /** Ends the process as a power cut would, and returns what it had written. */
  kill(): Promise<string>
}

export function sqliteBed(): SqliteBed {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
  const running = new Set<Elsewhere>()
  let count = 0
  return {
    folder,
    workDirectory() {
      const path = join(folder, `work${++count}`)
      mkdirSync(path)
      return path
    },
    make(name, sql) {
      const path = join(folder, name)
      const db = new DatabaseSync(pathToFileURL(path), { enableForeignKeyConstraints: false })
      db.exec(sql)
      db.close()
      return path
    },
    async elsewhere(path, code) {
      const text = `
        import { DatabaseSync } from 'node:sqlite'
        import { pathToFileURL } from 'node:url'
        import { writeSync } from 'node:fs'
        const say = (text) => writeSync(1, text + '\\n')
        const db = new DatabaseSync(pathToFileURL(${JSON.stringify(path)}), { timeout: 60_000 })
        ${code}`
      const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', text], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
      const closed = once(child, 'close')
      const other: Elsewhere = {
        pid: child.pid ?? 0,
        said: () => said,
        async kill() {
          running.delete(other)
          if (child.exitCode === null) child.kill('SIGKILL')
          await closed
          return said
        },
      }
      running.add(other)
      await Promise.race([once(child.stdout, 'data'), closed])
      return other
    },
    async [Symbol.asyncDispose]() {
      for (const other of running) await other.kill()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Keeps a process of `elsewhere` alive, with its database open and idle. */
export const STAY = 'setInterval(() => {}, 1000)'
