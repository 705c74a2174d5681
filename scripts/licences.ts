// Every dependency must have a licence that lets Holdfast be given away under Apache-2.0.
import { readFileSync } from 'node:fs'

const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
])

/** Packages whose lock entry names no licence, with the one that their own files state. */
const stated: Record<string, string> = {
  ssh2: 'MIT',
  'cpu-features': 'MIT',
  streamsearch: 'MIT',
  buildcheck: 'MIT',
}

/** Used to build or to test, and never given away: whoever changes their own files must publish those. */
const allowedForTools = new Set(['MPL-2.0'])
const tools = /^(axe-core|lightningcss(-.+)?)$/

interface Lock {
  packages: Record<string, { license?: string; version?: string; dev?: boolean }>
}

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as Lock
const refused = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, { license }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    return { name, licence: license ?? stated[name] ?? 'none stated' }
  })
  .filter(({ name, licence }) => {
    const isAllowed = (one: string) => allowed.has(one) || (tools.test(name) && allowedForTools.has(one))
    const choices = licence.replace(/[()]/g, '').split(' OR ')
    return !choices.some((choice) => choice.split(' AND ').every(isAllowed))
  })

for (const { name, licence } of refused) console.error(`${name}: ${licence}`)
if (refused.length > 0) {
  console.error('These licences are not on the list in scripts/licences.ts.')
  process.exitCode = 1
} else {
  console.log(`${Object.keys(lock.packages).length - 1} packages, all under licences that are on the list.`)
}
