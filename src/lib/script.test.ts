import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { AppError } from '../shared/errors.ts'
import { run as runTool } from './process.ts'
import { runScript, type ScriptEnd, type ScriptOptions } from './script.ts'

const never = new AbortController().signal

async function run(
  text: string,
  { signal = never, ...options }: Partial<ScriptOptions> & { signal?: AbortSignal } = {},
): Promise<ScriptEnd & { lines: string[] }> {
  const lines: string[] = []
  const onLine = (line: string) => void lines.push(line)
  const end = await runScript(text, { env: {}, onLine, ...options }, signal)
  return { ...end, lines }
}

/** Whether a process runs, and is no zombie. */
function isAlive(pid: string | undefined): boolean {
  assert.match(pid ?? '', /^\d+$/)
  const status = `/proc/${pid}/status`
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'))
}

describe('a script', () => {
  it('tells each line in its order, whichever output it is said on, and its exit code', async () => {
    const end = await run('echo one; echo two >&2; echo; printf three; exit 3')
    assert.deepEqual(end, {
      exitCode: 3,
      killedBy: null,
      lines: ['one', 'two', '', 'three'],
    })
  })

  it('may come from a text area, with the ends of lines that a browser makes', async () => {
    const { exitCode, lines } = await run('if true; then\r\n  echo "yes"\r\nfi\r\n')
    assert.deepEqual([exitCode, lines], [0, ['yes']])
  })

  it('is in no argument, has no input, and counts its lines as they were written behind the first', async () => {
    const { lines } = await run('canary=1\ncat; cat /proc/$$/cmdline | tr "\\0" " "; echo; no-such-command')
    assert.match(lines[0] ?? '', /^sh \S+\/script $/)
    assert.match(lines[1] ?? '', /script: (line )?3: no-such-command/)
  })

  it('gets of our environment what is listed, and nothing else', async (test) => {
    const mine = { APP_KEY: 'canary-1', HOLDFAST_TOKEN: 'canary-2', PGPASSWORD: 'canary-3', TZ: 'Asia/Tokyo' }
    const proxies = { http_proxy: 'http://proxy:1', NO_PROXY: 'localhost' }
    Object.assign(process.env, mine, proxies)
    test.after(() =>
      [...Object.keys(mine), ...Object.keys(proxies)].forEach((name) => delete process.env[name]),
    )
    const { lines } = await run('env', { env: { BACKUP_DATABASE_NAME: "it's a “name”\nof two lines" } })
    assert.doesNotMatch(lines.join('\n'), /canary/)
    const names = lines.map((line) => /^(\w+)=/.exec(line)?.[1]).filter((name) => name !== undefined)
    const own = ['PWD', 'OLDPWD', 'SHLVL', '_'] // the shell's
    const allowed = ['PATH', 'HOME', 'LANG', 'TZ', 'http_proxy', 'NO_PROXY', 'BACKUP_DATABASE_NAME']
    const present = [...new Set(names)].filter((name) => !own.includes(name))
    assert.deepEqual(
      present.filter((name) => !allowed.includes(name)),
      [],
    )
    for (const name of ['PATH', 'TZ', 'http_proxy', 'NO_PROXY']) assert.ok(present.includes(name), name)
    assert.match(lines.join('\n'), /BACKUP_DATABASE_NAME=it's a “name”\nof two lines/)
  })

  it('works in an empty folder of its own, which is gone afterwards', async () => {
    await using folder = await tempFolder('script')
    const { lines } = await run('pwd; ls -A | tr "\\n" " "; echo; touch left; stat -c %a script', {
      workDirectory: folder.path,
    })
    assert.ok(lines[0]?.startsWith(folder.path))
    assert.deepEqual(lines.slice(1), ['script ', '700'])
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('is ended when its time is over, with all that it has started', async () => {
    const lines: string[] = []
    const signal = AbortSignal.timeout(300)
    const running = run('sleep 9999 & echo $!; sleep 9999', { signal, onLine: (line) => lines.push(line) })
    await assert.rejects(running, { name: 'TimeoutError' })
    assert.equal(isAlive(lines[0]), false)
  })

  it('is killed where it does not listen, also what runs on behind it with its outputs closed', async () => {
    await using folder = await tempFolder('script')
    const [own, other] = [join(folder.path, 'own'), join(folder.path, 'other')]
    const deaf = `(trap '' TERM; while :; do sleep 0.1; done) >/dev/null 2>&1 </dev/null &
      echo $! > "$OTHER"; echo $$ > "$OWN"; trap '' TERM; while :; do sleep 0.1; done`
    const options = { signal: AbortSignal.timeout(300), env: { OWN: own, OTHER: other } }
    await assert.rejects(run(deaf, options), { name: 'TimeoutError' })
    for (const file of [own, other]) assert.equal(isAlive(readFileSync(file, 'utf8').trim()), false)
  })

  it('that is over is over: what it has left in the background is ended', async () => {
    const end = await run('sleep 9999 & echo $!; exit 0')
    assert.equal(end.exitCode, 0)
    assert.equal(isAlive(end.lines[0]), false)
  })

  it('is not waited for by what has left it for a session of its own', async () => {
    const end = await run("setsid sh -c 'echo $$; sleep 9999' & sleep 0.3; echo done")
    assert.deepEqual([end.exitCode, end.lines[1]], [0, 'done'])
    const pid = end.lines[0] ?? ''
    assert.equal(isAlive(pid), true)
    process.kill(-Number(pid), 'SIGKILL')
  })

  it('has succeeded if it says so, also if its time goes by while what it has left is ended', async () => {
    const end = await run(`(trap '' TERM; exec sleep 9999) >/dev/null 2>&1 & sleep 0.2; exit 0`, {
      signal: AbortSignal.timeout(2_500),
    })
    assert.equal(end.exitCode, 0)
  })

  it('has succeeded if it says so, also if what it has left is not ours to end', async (test) => {
    const kill = process.kill.bind(process)
    test.mock.method(process, 'kill', (pid: number, signal: NodeJS.Signals) => {
      if (pid < 0) throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
      return kill(pid, signal)
    })
    assert.equal((await run('exit 0')).exitCode, 0)
  })

  it('has succeeded if it says so, also if its folder cannot be removed', async (test) => {
    await using folder = await tempFolder('script')
    const lines: string[] = []
    const warned = once(process, 'warning', { signal: test.signal }).then(
      ([warning]) => void lines.push(String(warning)),
      () => {},
    )
    // No file can be taken from what is read-only, unless by root; and by nobody from what is immutable.
    const kept = 'mkdir kept && touch kept/x && chmod 500 kept && { chattr +i kept 2>/dev/null || true; }'
    try {
      assert.equal((await run(kept, { workDirectory: folder.path })).exitCode, 0)
      if ((await readdir(folder.path)).length === 0) return test.skip('nothing here is kept from this user')
      await warned
      assert.match(lines[0] ?? '', /HoldfastWorkDirectoryWarning: .* could not be removed/)
    } finally {
      spawnSync('sh', ['-c', 'chattr -i */kept; chmod 700 */kept'], { cwd: folder.path })
    }
  })

  it('takes what it has left with it when our process ends at once', async () => {
    await using folder = await tempFolder('script')
    const file = join(folder.path, 'left')
    const text = `(trap '' TERM; exec sleep 9999) >/dev/null 2>&1 & echo $! > '${file}'; sleep 0.2; echo $$`
    const program = `
      import { existsSync } from 'node:fs'
      import { runScript } from ${JSON.stringify(import.meta.resolve('./script.ts'))}
      const onLine = (pid) => setInterval(() => existsSync('/proc/' + pid) || setTimeout(process.exit, 50, 3), 10)
      await runScript(${JSON.stringify(text)}, { env: {}, onLine }, new AbortController().signal)`
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program]
    await assert.rejects(runTool({ file: process.execPath, args }, never), /exit code 3/)
    const pid = readFileSync(file, 'utf8').trim()
    for (let waited = 0; waited < 100 && isAlive(pid); waited++) await sleep(50)
    assert.equal(isAlive(pid), false)
  })

  it('is ended by the signal, and that is what is thrown', async () => {
    const controller = new AbortController()
    const lines: string[] = []
    const onLine = (line: string) => {
      lines.push(line)
      controller.abort(new AppError('cancelled', 'The job was cancelled.'))
    }
    const running = run('sleep 9999 & echo $!; wait', { signal: controller.signal, onLine })
    await assert.rejects(running, { code: 'cancelled' })
    assert.equal(isAlive(lines[0]), false)
  })

  it('that floods us is read to its end, and little of it is kept', async () => {
    const many = await run('seq 3000; exit 4')
    assert.equal(many.exitCode, 4)
    assert.equal(many.lines.length, 1001)
    assert.match(many.lines.at(-1) ?? '', /more than is kept/)
    const long = await run('head -c 5000000 /dev/zero | tr "\\0" x; echo; echo end')
    assert.equal(long.lines.length, 2)
    assert.ok((long.lines[0]?.length ?? 0) < 2_100)
    assert.equal(long.lines[1], 'end')
    const wide = await run('head -c 1000000 /dev/zero | tr "\\0" x | fold -w 1900')
    assert.ok(wide.lines.length < 200)
  })

  it('may say what is no UTF-8', async () => {
    const { lines } = await run("printf 'a\\377b\\n\\303\\244\\n'")
    assert.deepEqual(lines, ['a\uFFFDb', 'ä'])
  })

  it('that cannot be started says so', async (test) => {
    const path = process.env['PATH']
    process.env['PATH'] = '/nowhere'
    test.after(() => (process.env['PATH'] = path))
    await assert.rejects(run('true'), { code: 'tool_missing' })
  })
})
