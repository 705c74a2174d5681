import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { buildPage, PAGE } from '../../scripts/build-page.ts'
import { type AppOptions, client, startApp } from '../e2e/app.ts'
import { detailsOf } from '../servers/needs.ts'
import { freePort } from '../servers/port.ts'
import { tempFolder } from '../servers/temp-folder.ts'

export const administrator = {
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  password: 'Nacre-tiled 7 harbours',
}

/** Where the page is built for the tests: HOLDFAST_PAGE_DIR, so that several people can work at it at once. */
const folder = process.env['HOLDFAST_PAGE_DIR'] ?? PAGE

interface BedOptions extends AppOptions {
  /** The first account is to be made by the page. */
  isNew?: boolean
}

/** The app with its page, as a process of its own, and a browser. */
export async function openBed({ isNew = false, env = {}, ...options }: BedOptions = {}) {
  await using stack = new AsyncDisposableStack()
  await buildPage(folder)
  const { path: beside } = stack.use(await tempFolder('page'))
  const data = join(beside, 'data')
  const port = String(await freePort())
  const origin = `http://localhost:${port}`
  const app = stack.use(
    await startApp(data, {
      ...options,
      env: {
        HOLDFAST_PORT: port,
        APP_URL: origin,
        HOLDFAST_PAGE_DIR: folder,
        ...(!isNew && {
          HOLDFAST_ADMIN_EMAIL: administrator.email,
          HOLDFAST_ADMIN_PASSWORD: administrator.password,
        }),
        ...env,
      },
    }),
  )
  assert.ok(app.isUp, app.said())
  const browser = await launch()
  stack.defer(() => browser.close())
  const cleanUp = stack.move()
  return {
    app,
    /** `http://localhost:…` */
    origin,
    /** The folder of its data. */
    data,
    /** A folder for databases and volumes. */
    beside,
    browser,
    /** The API, with a token that may do everything. */
    api: client(app.url, app.token ?? assert.fail('there is no token')),
    /** A browser of somebody who has not been here, in English. */
    open: (given: BrowserContextOptions = {}) => openPage(browser, origin, given),
    /** One that has signed in as the administrator. */
    async openSignedIn(given: BrowserContextOptions = {}) {
      const opened = await openPage(browser, origin, given)
      await signIn(opened.context, origin)
      return opened
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

export type Bed = Awaited<ReturnType<typeof openBed>>

async function launch(): Promise<Browser> {
  const [executablePath = ''] = detailsOf('chromium').programs
  return await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

/** Without the page: its cookie is what the browser has afterwards. */
async function signIn(context: BrowserContext, origin: string): Promise<void> {
  const { email, password } = administrator
  const answer = await context.request.post(`${origin}/api/v1/sign-in`, {
    data: { email, password },
    headers: { origin },
  })
  assert.ok(answer.ok(), await answer.text())
}

async function openPage(browser: Browser, origin: string, given: BrowserContextOptions) {
  const context = await browser.newContext({
    baseURL: origin,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...given,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  /** What a developer would see in red: errors, refusals of the content security policy, exceptions. */
  const complaints: string[] = []
  page.on('console', (message) => {
    // What the API refuses is what some tests are about; the browser says so by itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text())
    }
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { context, page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

let axe: Promise<string> | undefined

/** What axe finds against WCAG 2.2 AA, one line for each place. */
export async function barriersOf(page: Page): Promise<string[]> {
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  // A script in the page would be refused by its policy, so it goes where the tools of developers are.
  await page.evaluate(await axe)
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`
  const { violations } = await page.evaluate<{
    violations: { id: string; help: string; nodes: { target: string[]; html: string }[] }[]
  }>(run)
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, html }) => `${id}: ${help}: ${target.join(' ')} ${html.slice(0, 160)}`),
  )
}

/** Waits until the page has what it wants to show: nothing is asked any more, and nothing says that it waits. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main, [data-outside]').first().waitFor()
  const waiting = page.locator('[aria-busy=true]')
  while ((await waiting.count()) > 0) await waiting.first().waitFor({ state: 'detached' })
  // Charts are drawn in the frame after.
  await page.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
}
