import { lstat, opendir, rmdir, statfs } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { z } from 'zod'
import { isLeftOver, isTemporary } from '../key.ts'
import { type Space, spaceStep } from '../space.ts'
import { decoded, settingsFromQuery } from '../url.ts'
import { defineVolume, type Volume } from '../volume.ts'
import { errorCode, explainFileError } from './errors.ts'
import { isFolder, removeEmptyFolders, resolveBelow, syncFolder } from './folders.ts'
import { listFiles, readFile, statFile } from './read.ts'
import { unlinkIfThere, writeFile } from './write.ts'

/** The program's own folders: an update replaces them, and would take backups in them along. */
const PROGRAM = resolve(import.meta.dirname, '../../..')
const OWN_FOLDERS = ['.git', 'bin', 'deploy', 'docs', 'node_modules', 'scripts', 'src', 'test', 'web']

const octal = z.string().regex(/^0?[0-7]{3}$/, 'must be three octal digits, like 0640')

const config = z.strictObject({
  path: z
    .string()
    .min(1, { error: 'must not be empty', abort: true })
    .refine(isAbsolute, 'must be an absolute path')
    .refine((path) => !isOwnFolder(resolve(path)), {
      error: `must not be inside the program (${PROGRAM}), which an update replaces`,
    })
    .meta({
      title: 'Path',
      description: 'An absolute path. The folder is made when the first snapshot is stored.',
    }),
  fileMode: octal
    .default('0640')
    .meta({ title: 'File mode', description: 'Permissions of new files, in octal' }),
  directoryMode: octal
    .default('0750')
    .meta({ title: 'Directory mode', description: 'Permissions of new folders, in octal' }),
})

/** A folder on a disk of this machine, or on whatever is mounted there. */
export const local = defineVolume({
  label: 'Local directory',
  schemes: ['file'],
  config,
  fromUrl(url) {
    if (!/^file:/i.test(url)) return { path: resolve(url) }
    const [path = '', query = ''] = url.slice('file:'.length).split(/\?(.*)/s)
    const named = decoded(path.replace(/^\/\/(localhost)?(?=\/)/, ''))
    // What is empty would become the current directory.
    return { path: named && resolve(named), ...settingsFromQuery(config, query) }
  },
  open: openDirectory,
  relativeTo: ({ path, ...others }, folder) => ({
    ...others,
    path: typeof path === 'string' && path !== '' ? resolve(folder, path) : path,
  }),
})

function isOwnFolder(path: string): boolean {
  const own = OWN_FOLDERS.map((folder) => join(PROGRAM, folder))
  return path === PROGRAM || own.some((folder) => path === folder || path.startsWith(folder + sep))
}

function openDirectory(settings: z.output<typeof config>): Volume {
  const root = resolve(settings.path)
  const modes = {
    file: Number.parseInt(settings.fileMode, 8),
    directory: Number.parseInt(settings.directoryMode, 8),
  }
  return {
    location: root,
    folder: root,
    readsAreCheap: true,
    write: (key, source, signal, options) => writeFile(root, key, source, modes, signal, options),
    read: (key, signal, range) => readFile(root, key, signal, range),
    async stat(key, signal) {
      signal.throwIfAborted()
      return await statFile(root, key)
    },
    list: (prefix, signal) => listFiles(root, prefix, signal),
    async isThere(signal) {
      signal.throwIfAborted()
      try {
        return await isFolder(root)
      } catch (error) {
        throw explainFileError(error, 'look at', root)
      }
    },
    async remove(key, signal) {
      signal.throwIfAborted()
      await removeObject(root, key)
    },
    async discard(prefix, signal) {
      signal.throwIfAborted()
      await discardIn(root, prefix.split('/').slice(0, -1), prefix, signal)
    },
    space: () => spaceOf(root),
    examine: async () => [spaceStep(await spaceOf(root))],
    async [Symbol.asyncDispose]() {},
  }
}

/** Nothing there is as good. */
async function removeObject(root: string, key: string): Promise<void> {
  try {
    const path = await resolveBelow(root, key.split('/'))
    await unlinkIfThere(path)
    await syncFolder(await removeEmptyFolders(dirname(path), root))
  } catch (error) {
    if (isMissing(error)) return
    throw explainFileError(error, 'remove', join(root, key))
  }
}

/** Removes what was left behind in a folder, and in all below it that the prefix covers. */
async function discardIn(
  root: string,
  segments: string[],
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = segments.map((segment) => `${segment}/`).join('')
  const path = join(root, folder)
  try {
    await resolveBelow(root, [...segments, ''])
    for await (const entry of await opendir(path)) {
      signal.throwIfAborted()
      const found = join(path, entry.name)
      if (isTemporary(entry.name)) {
        if (!isLeftOver(folder, entry.name, prefix, (await lstat(found)).mtime)) continue
        await (entry.isDirectory() ? rmdir(found) : unlinkIfThere(found))
      } else if (entry.isDirectory() && `${folder}${entry.name}/`.startsWith(prefix)) {
        await discardIn(root, [...segments, entry.name], prefix, signal)
      }
    }
    await syncFolder(await removeEmptyFolders(join(root, ...segments), root))
  } catch (error) {
    if (isMissing(error)) return
    throw explainFileError(error, 'clean up', path)
  }
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function spaceOf(root: string): Promise<Space> {
  for (let folder = root; ; folder = dirname(folder)) {
    try {
      const { bavail, blocks, bsize } = await statfs(folder)
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    } catch (error) {
      if (errorCode(error) === 'ENOENT' && folder !== dirname(folder)) continue
      throw explainFileError(error, 'look at', root)
    }
  }
}
