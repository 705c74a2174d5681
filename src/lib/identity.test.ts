import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from '../../test/servers/needs.ts'
import { isOver, ownToken } from './identity.ts'

const NOBODY = '65534'
/** Above the highest pid that Linux gives: 2^22. */
const NO_PID = 4_194_305
const module = JSON.stringify(import.meta.resolve('./identity.ts'))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

describe('the token of a process', () => {
  it('is the same as long as the process lives, fits into a file name and tells nobody the name of the machine', () => {
    const token = ownToken()
    assert.equal(ownToken(), token)
    assert.match(token, /^[0-9a-f]{12}-\d+-\d+$/)
    assert.ok(!token.includes(hostname()))
  })

  it('says how the kernel knows the process, whatever its program is called', async () => {
    const program = `import { ownToken } from ${module}; process.title = 'a) S 1 (b'; console.log(ownToken()); setTimeout(() => {}, 1e6)`
    const child = start(process.execPath, ['--input-type=module', '-e', program])
    assert.equal(await firstLine(child), tokenOf(child.pid))
  })
})

describe('a process', () => {
  it('is not over while it lives, be it this one, another one or the first of the machine', () => {
    assert.equal(isOver(ownToken()), false)
    assert.equal(isOver(tokenOf(start('sleep', ['1000']).pid)), false)
    assert.equal(isOver(tokenOf(1)), false)
  })

  it('is over when it has been killed', async () => {
    const child = start('sleep', ['1000'])
    const token = tokenOf(child.pid)
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.equal(isOver(token), true)
  })

  it('is over when another one has its pid', () => {
    assert.equal(isOver(ownToken().replace(/\d+$/, '1')), true)
  })

  it('is over when it has ended and only its parent has not noticed', async () => {
    const parent = start('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000'])
    const pid = Number(await firstLine(parent))
    while (statOf(pid)[0] !== 'Z') await sleep(5)
    assert.equal(isOver(tokenOf(pid)), true)
  })

  it('is unknown where its end cannot be seen from here: on another machine, or without its beginning', () => {
    assert.equal(isOver('ffffffffffff-1-1'), 'unknown')
    assert.equal(isOver(`ffffffffffff-${NO_PID}-1`), 'unknown')
    assert.equal(isOver(ownToken().replace(/\d+$/, '')), 'unknown')
  })

  it('is unknown to what is no token', () => {
    for (const text of ['', 'nonsense', ` ${ownToken()}`, `${ownToken()}-`, `${ownToken()}/1`]) {
      assert.equal(isOver(text), 'unknown', text)
    }
  })
})

describe('where the processes of others are hidden (hidepid)', { skip: skipUnless('root') }, () => {
  it('a living one is never over, be it of the same user or of another; a dead one is, and our own is not', () => {
    const mine = start('sleep', ['1000'])
    const foreign = start('setpriv', ['--reuid', NOBODY, '--clear-groups', 'sleep', '1000'])
    const dead = ownToken().replace(/-\d+-\d+$/, `-${NO_PID}-1`)
    assert.deepEqual(
      seenWithHiddenProcesses(`[...process.argv.slice(1), ownToken()].map(isOver)`, [
        tokenOf(mine.pid),
        tokenOf(foreign.pid),
        dead,
      ]),
      ['unknown', 'unknown', true, false],
    )
  })
})

describe('a process of another container', { skip: skipUnless('root') }, () => {
  it('is unknown, also where the machine has the same name and a process with the same pid', () => {
    const program = `import { ownToken } from ${module}; console.log(ownToken())`
    const { stdout } = spawnSync(
      'unshare',
      ['--pid', '--fork', '--mount-proc', process.execPath, '--input-type=module', '-e', program],
      { encoding: 'utf8' },
    )
    assert.match(stdout, /^[0-9a-f]{12}-1-\d+\n$/)
    assert.equal(isOver(stdout.trim()), 'unknown')
  })
})

/** What an expression gives in a process that sees no others: root without privileges, and a /proc of its own. */
function seenWithHiddenProcesses(expression: string, args: string[]): unknown {
  const program = `import { isOver, ownToken } from ${module}; console.log(JSON.stringify(${expression}))`
  const unprivileged = ['--regid', NOBODY, '--clear-groups', '--bounding-set=-all', '--inh-caps=-all']
  const script = `mount -t proc -o hidepid=invisible proc /proc && exec setpriv "$@"`
  const node = [process.execPath, '--input-type=module', '-e', program, ...args]
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', script, 'sh', ...unprivileged, ...node],
    { encoding: 'utf8' },
  )
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

function start(file: string, args: string[]): ChildProcess & { pid: number } {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  assert.ok(child.pid !== undefined, `${file} did not start`)
  return child as ChildProcess & { pid: number }
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text.split('\n')[0] ?? ''
}

/** The token of any process of this machine, made with other eyes than those of ownToken(). */
function tokenOf(pid: number): string {
  return ownToken().replace(/-\d+-\d+$/, `-${pid}-${statOf(pid)[19]}`)
}

/** The fields of /proc/<pid>/stat behind the program's name. */
function statOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
}
