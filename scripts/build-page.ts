// Builds the page, unless it is there already as its sources are now, and says what its first view weighs.
import { createHash } from 'node:crypto'
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')
export const PAGE = join(root, 'web/dist')
const LIMIT = 300 * 1024

/** Into the folder. Throws if it does not build, or if its first view weighs too much. */
export async function buildPage(folder = PAGE): Promise<void> {
  const stamp = join(folder, '.sources')
  const sources = hashOfSources()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  console.error('Building the page …')
  const startedAt = Date.now()
  // Whoever shows the page meanwhile shows the former one.
  const beside = `${folder}.${process.pid}`
  try {
    await build({
      configFile: join(root, 'web/vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: beside, emptyOutDir: true },
    })
    compress(beside)
    const kibibytes = Math.ceil(firstView(beside) / 1024)
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
    console.error(`Built in ${seconds} s. The first view weighs ${kibibytes} KiB, gzipped.`)
    if (kibibytes * 1024 > LIMIT) throw new Error(`The first view may weigh ${LIMIT / 1024} KiB.`)
    writeFileSync(join(beside, '.sources'), sources)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(dirname(folder), { recursive: true })
    renameSync(beside, folder)
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  const patterns = ['web/{src,public}/**/*.*', 'web/*.*', 'src/{client,shared}/*.ts', 'package-lock.json']
  for (const file of globSync([...patterns, 'scripts/build-page.ts'], { cwd: root }).sort()) {
    const path = join(root, file)
    if (/\.test\.tsx?$/.test(file) || !statSync(path).isFile()) continue
    hash.update(file).update('\0').update(readFileSync(path))
  }
  return hash.digest('hex')
}

/** Beside each file what it is when compressed, so that it is not done again for each browser. */
function compress(folder: string): void {
  for (const file of globSync('**/*.{js,css,svg}', { cwd: folder })) {
    const path = join(folder, file)
    const bytes = readFileSync(path)
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }))
  }
}

interface Chunk {
  file: string
  imports?: string[]
  css?: string[]
}

/** What a browser loads before it shows the overview, in bytes. */
function firstView(folder: string): number {
  const chunks = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    Chunk
  >
  const files = new Set(['index.html', 'color-scheme.js'])
  const add = (name: string) => {
    const chunk = chunks[name]
    if (!chunk || files.has(chunk.file)) return
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
    for (const imported of chunk.imports ?? []) add(imported)
  }
  add('index.html')
  add('src/overview/overview-page.tsx')
  return [...files]
    .map((file) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length)
    .reduce((sum, bytes) => sum + bytes, 0)
}

if (import.meta.main) await buildPage()
