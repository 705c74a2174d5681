import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTokenFile } from '../../src/app/token-file.ts'
import type { Job } from '../../src/shared/jobs.ts'
import { isOver } from '../../src/shared/jobs.ts'
import { freePort } from '../servers/port.ts'

const holdfast = join(import.meta.dirname, '../../bin/holdfast')

export interface AppOptions {
  env?: Record<string, string>
  /** `serve` if absent. */
  command?: readonly string[]
}

/** `holdfast serve`, or a worker, as a process of its own on a free port. */
export async function startApp(dataDirectory: string, { env = {}, command = ['serve'] }: AppOptions = {}) {
  const port = env['HOLDFAST_PORT'] ?? String(await freePort())
  const child = spawn(holdfast, command, {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      HOLDFAST_DATA_DIR: dataDirectory,
      HOLDFAST_PORT: port,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))
  const answers = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString()
      if (/Holdfast (answers at|waits for jobs)/.test(stdout)) resolve(true)
    })
    child.once('close', () => resolve(false))
  })
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const isUp = await answers
  return {
    isUp,
    pid: child.pid,
    port,
    url: `http://127.0.0.1:${port}`,
    /** What the command line of this machine signs in with. */
    token: isUp ? await readTokenFile(dataDirectory) : undefined,
    /** With what the first account is made, as long as there is none. */
    setupToken: /\/setup#token=([\w-]{43})/.exec(stdout)?.[1],
    said: () => stdout + stderr,
    ended,
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      child.kill(signal)
      return await ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

export type AppProcess = Awaited<ReturnType<typeof startApp>>

/** Asks an app, as a program that has a token would. */
export function client(url: string, token: string) {
  async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, text, headers: response.headers }
  }
  /** The answer's JSON; anything but success fails the test. */
  async function get<T>(method: string, path: string, body?: object): Promise<T> {
    const { status, text } = await ask(method, path, body)
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`)
    return (text === '' ? null : JSON.parse(text)) as T
  }
  return {
    ask,
    get,
    /** Everything of a list, page by page. */
    async all<T>(path: string): Promise<T[]> {
      const items: T[] = []
      for (let cursor: string | null = ''; cursor !== null;) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`
        const page: { items: T[]; nextCursor: string | null } = await get(
          'GET',
          `${path}${path.includes('?') ? '&' : '?'}limit=200${more}`,
        )
        items.push(...page.items)
        cursor = page.nextCursor
      }
      return items
    },
    /** Waits until the job is over, and gives it. */
    async jobOver(id: string): Promise<Job> {
      for (;;) {
        const job = await get<Job>('GET', `/api/v1/jobs/${id}`)
        if (isOver(job.state)) return job
        await sleep(100)
      }
    },
  }
}

export type Client = ReturnType<typeof client>
