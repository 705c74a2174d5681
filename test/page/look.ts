/*
 * Shows pages as people see them, of an installation that has been running for a month: screenshots in light, in dark and
 * on a phone, and what is wrong with them: barriers that axe finds, errors of the console, refusals of the policy.
 *
 *   node test/page/look.ts --out /tmp/shots /servers /servers/{server}     some pages
 *   node test/page/look.ts --out docs/screenshots --all                    all of them: npm run screenshots
 *   --fast: light only · --empty: an installation in which nobody has done anything yet
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { barriersOf, openBed, settled } from './bed.ts'
import { addressOf, allPages } from './pages.ts'
import { seed, type Things } from './seed.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'docs/screenshots' },
    all: { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
    empty: { type: 'boolean', default: false },
  },
})

const faces = {
  light: { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const

const pages: typeof allPages = values.all
  ? allPages
  : positionals.map((path) => ({ path, name: nameOf(path) }))
await mkdir(values.out, { recursive: true })
await using bed = await openBed()
const things: Partial<Things> = values.empty ? {} : await seed(bed)

/** Of a picture, in pixels. */
const HIGHEST = 2400

let faults = 0
for (const [face, options] of Object.entries(faces)) {
  if (values.fast && face !== 'light') continue
  await using inside = await bed.openSignedIn(options)
  await using outside = await bed.open(options)
  for (const { path, name, isOutside } of pages) {
    const { page, complaints } = isOutside ? outside : inside
    await page.goto(addressOf(path, things))
    await settled(page)
    // What is far below is loaded when it comes into view.
    await page.evaluate('window.scrollTo(0, document.body.scrollHeight)')
    await settled(page)
    await page.evaluate('window.scrollTo(0, 0)')
    const height = await page.evaluate<number>('document.documentElement.scrollHeight')
    await page.screenshot({
      path: join(values.out, `${name}.${face}.png`),
      fullPage: true,
      // What comes below looks like what is above.
      clip: { x: 0, y: 0, width: options.viewport.width, height: Math.min(height, HIGHEST) },
    })
    const isTooWide = await page.evaluate<boolean>(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth',
    )
    const found = [
      ...complaints.splice(0),
      ...(await barriersOf(page)),
      ...(isTooWide ? ['The page is wider than the window.'] : []),
    ]
    faults += found.length
    console.log(`${found.length === 0 ? 'ok' : '✖ '} ${face.padEnd(5)} ${path}`)
    for (const fault of found) console.log(`     ${fault}`)
  }
}
console.log(`${pages.length} pages in ${values.out}, ${faults} faults.`)
process.exitCode = faults === 0 ? 0 : 1

function nameOf(path: string): string {
  return (
    path
      .replace(/[{}?=&]/g, ' ')
      .trim()
      .replace(/[/\s]+/g, '-')
      .replace(/^-/, '') || 'overview'
  )
}
