import { access, constants, readdir, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { AppError, asAppError } from '../shared/errors.ts'
import { run } from './process.ts'

/** Milliseconds. On a machine with far too much to do, seconds pass before a program has even begun. */
const PATIENCE = 60_000

/** A program that is wanted, where it usually lives, and which package brings it. */
export interface ToolNeed {
  name: string
  /** Folders to look into after PATH. A `*` stands for any part of one path segment. */
  places?: readonly string[]
  /** Real paths that are not the program, but choose one by rules of their own: passed over. */
  wrapper?: RegExp
  /** Arguments that make it print its version; `--version` if absent. */
  versionArgs?: readonly string[]
  /** Finds the version in what it prints; the first group counts. A program that prints anything else is not meant. */
  versionPattern: RegExp
  install: { debian: string; alpine: string; macos: string }
}

export interface FoundTool {
  name: string
  /** Absolute. */
  path: string
  /** `15.18` */
  version: string
}

/** A program that has the name, but fails when it is asked for its version. */
export interface BrokenTool {
  name: string
  path: string
  error: AppError
}

/**
 * Every program on this machine that answers one of the needs, in the order PATH, the usual places, then the folders
 * of `HOLDFAST_TOOL_PATH`. Several versions side by side are normal; the engine picks. Who asks for a program in PATH
 * by its name gets a broken one too, so `onBroken` hears of it; without it, it is a warning of the process.
 */
export async function findTools(
  needs: readonly ToolNeed[],
  signal: AbortSignal,
  onBroken: (tool: BrokenTool) => void = warn,
): Promise<FoundTool[]> {
  const found = await Promise.all(needs.map((need) => findTool(need, signal, onBroken)))
  return found.flat()
}

/**
 * Of the tools with that name one of the smallest major version that is at least `major`: the first that was found, so
 * that PATH decides between those that differ in nothing that matters. Throws `tool_missing` naming what is needed, what
 * was found, and how to get it.
 */
export function pickTool(tools: readonly FoundTool[], need: ToolNeed, major: number): FoundTool {
  const named = tools
    .filter((tool) => tool.name === need.name)
    .sort((a, b) => majorOf(a.version) - majorOf(b.version))
  const picked = named.find((tool) => majorOf(tool.version) >= major)
  if (picked) return picked
  const wanted = `${need.name} ${major} or newer`
  const present =
    named.length > 0
      ? `found only ${named.map((tool) => `${tool.version} (${tool.path})`).join(', ')}`
      : 'found none'
  throw new AppError('tool_missing', `${wanted} is needed; ${present}.`, { hint: installHint(need) })
}

/** How to install what brings the tool, on the systems we know. */
export function installHint({ install }: ToolNeed): string {
  return `Debian: apt install ${install.debian} · Alpine: apk add ${install.alpine} · macOS: brew install ${install.macos}`
}

/** 15 for `15.18`; 0 if it does not begin with a number. */
export function majorOf(version: string): number {
  return Number.parseInt(version, 10) || 0
}

/** Orders versions by their numbers: `9.6` before `10.1`. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] || 0) - (right[i] || 0)
    if (difference !== 0) return difference
  }
  return 0
}

async function findTool(
  need: ToolNeed,
  signal: AbortSignal,
  onBroken: (tool: BrokenTool) => void,
): Promise<FoundTool[]> {
  const folders = [
    ...splitPath(process.env['PATH']),
    ...(await Promise.all((need.places ?? []).map(expand))).flat(),
    ...splitPath(process.env['HOLDFAST_TOOL_PATH']),
  ]
  const found: FoundTool[] = []
  const seen = new Set<string>()
  for (const folder of folders) {
    const path = join(folder, need.name)
    const real = await executable(path)
    if (!real || seen.has(real) || need.wrapper?.test(real)) continue
    seen.add(real)
    const version = await versionOf(path, need, signal, onBroken)
    if (version !== undefined) found.push({ name: need.name, path, version })
  }
  return found
}

function splitPath(path: string | undefined): string[] {
  return (path ?? '').split(delimiter).filter((folder) => folder !== '')
}

/** The real path of an executable file, or undefined. */
async function executable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK)
    return await realpath(path)
  } catch {
    return undefined // not here, or not ours to run: the next folder may have it
  }
}

/** Undefined for a program that is broken, or that is another of the same name. */
async function versionOf(
  path: string,
  need: ToolNeed,
  signal: AbortSignal,
  onBroken: (tool: BrokenTool) => void,
): Promise<string | undefined> {
  const tooLong = AbortSignal.timeout(PATIENCE)
  const limit = AbortSignal.any([signal, tooLong])
  const command = { file: path, args: [...(need.versionArgs ?? ['--version'])] }
  try {
    return need.versionPattern.exec(await run(command, limit))?.[1]
  } catch (error) {
    signal.throwIfAborted()
    onBroken({ name: need.name, path, error: tooLong.aborted ? silent(path, error) : asAppError(error) })
    return undefined
  }
}

function silent(path: string, cause: unknown): AppError {
  return new AppError('tool_failed', `${path} did not tell its version in ${PATIENCE / 1000} seconds.`, {
    hint: 'Is the machine overloaded? Run the program by hand.',
    retryable: true,
    cause,
  })
}

function warn({ path, error }: BrokenTool): void {
  process.emitWarning(`${path} was passed over: ${error.message}`, 'HoldfastToolWarning')
}

/** The existing folders that a pattern with `*` segments stands for, newest-looking last. */
async function expand(pattern: string): Promise<string[]> {
  const star = pattern.indexOf('*')
  if (star === -1) return [pattern]
  const parent = pattern.slice(0, pattern.lastIndexOf('/', star))
  const rest = pattern.slice(parent.length + 1)
  const slash = rest.indexOf('/')
  const [segment, tail] = slash === -1 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash + 1)]
  const matches = new RegExp(
    `^${segment
      .split('*')
      .map((text) => RegExp.escape(text))
      .join('.*')}$`,
  )
  const entries = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return []
    throw error
  })
  const folders = entries.filter((entry) => matches.test(entry)).sort(compareVersions)
  return (await Promise.all(folders.map((entry) => expand(join(parent, entry, tail))))).flat()
}
