import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { compareVersions, findTools, pickTool, type ToolNeed } from './tools.ts'

let root: string
const signal = new AbortController().signal

const need = (): ToolNeed => ({
  name: 'hf_dump',
  places: [join(root, 'lib/*/bin'), join(root, 'opt')],
  versionPattern: /hf_dump \(Holdfast\) (\d+(?:\.\d+)*)/,
  install: { debian: 'hf-client', alpine: 'hf', macos: 'hf' },
})

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-tools-'))
  const put = async (path: string, script: string, mode = 0o755) => {
    await mkdir(join(root, dirname(path)), { recursive: true })
    await writeFile(join(root, path), `#!/bin/sh\n${script}\n`)
    await chmod(join(root, path), mode)
  }
  await put('lib/9.6/bin/hf_dump', 'echo "hf_dump (Holdfast) 9.6.24"')
  await put('lib/15/bin/hf_dump', 'echo "hf_dump (Holdfast) 15.18 (Debian)"')
  await put('lib/17/bin/hf_dump', 'echo "hf_dump (Holdfast) 17.2"')
  await put('lib/18/bin/hf_dump', 'echo "hf_dump (Holdfast) 18.1"', 0o644)
  await put('lib/19/bin/hf_dump', 'echo broken >&2; exit 1')
  await put('opt/hf_dump', 'echo "another program 20"')
})
after(() => rm(root, { recursive: true, force: true }))

describe('finding tools', () => {
  it('finds every version that can be run and is what it is taken for', async () => {
    const found = await findTools([need()], signal)
    assert.deepEqual(
      found.map(({ version }) => version),
      ['9.6.24', '15.18', '17.2'],
    )
  })

  it('tells of those that are broken', async () => {
    const broken: string[] = []
    await findTools([need()], signal, ({ path, error }) => broken.push(`${path}: ${error.message}`))
    assert.deepEqual(broken, [`${join(root, 'lib/19/bin/hf_dump')}: hf_dump failed with exit code 1: broken`])
  })

  it('picks the smallest that is new enough', async () => {
    const found = await findTools([need()], signal)
    assert.equal(pickTool(found, need(), 9).version, '9.6.24')
    assert.equal(pickTool(found, need(), 10).version, '15.18')
    assert.equal(pickTool(found, need(), 16).version, '17.2')
  })

  it('picks, of those with the same major version, the one that PATH has first', () => {
    const found = ['15.3', '15.18', '15.4', '14.2'].map((version, i) => ({
      name: 'hf_dump',
      path: `/${i}/hf_dump`,
      version,
    }))
    assert.equal(pickTool(found, need(), 15).version, '15.3')
  })

  it('names what is needed, what was found, and how to get it', async () => {
    const found = await findTools([need()], signal)
    assert.throws(() => pickTool(found, need(), 18), {
      code: 'tool_missing',
      message: /^hf_dump 18 or newer is needed; found only 9\.6\.24 \(.*\), 15\.18 \(.*\), 17\.2 \(.*\)\.$/,
      hint: /apt install hf-client/,
    })
    assert.throws(() => pickTool([], need(), 9), { message: 'hf_dump 9 or newer is needed; found none.' })
  })

  it('orders versions by their numbers', () => {
    assert.deepEqual(['10.1', '9.6', '9.10', '10'].sort(compareVersions), ['9.6', '9.10', '10', '10.1'])
  })
})
