// Installs the dependencies if they are not what package-lock.json says. Runs on whatever Node the machine has; what
// runs after it finds Node 24 in node_modules/.bin, which npm puts first into PATH.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.holdfast-lock')
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('Installing the dependencies, Node 24 among them (npm ci) …')
  const startedAt = Date.now()
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) {
    console.error('npm ci failed; its words are above.')
    process.exit(1)
  }
  writeFileSync(stamp, lock)
  console.error(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`)
}

const bundled = join(root, 'node_modules', '.bin', 'node')
if (!existsSync(bundled) && Number.parseInt(process.versions.node) < 24) {
  console.error(
    `Node 24 or newer is needed; this is ${process.versions.node}, and none comes for ${process.platform} ${process.arch}.`,
  )
  process.exit(1)
}
