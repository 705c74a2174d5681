import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeAwayAtTheEnd } from './leftovers.ts'
import { serverUser } from './server-user.ts'

export interface TempFolder extends AsyncDisposable {
  path: string
  /** Makes a folder inside that belongs to the user whom servers run as. */
  makeFolder(name: string): Promise<string>
  /** Writes a file that belongs to the user whom servers run as. Returns its path. */
  write(name: string, content: string, mode?: number): Promise<string>
}

/** A folder that a server can reach and write to, also one that does not run as root. */
export async function tempFolder(name: string): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `holdfast-test-${name}-`))
  takeAwayAtTheEnd({ kind: 'folder', path })
  await handOver(path, 0o755)
  return {
    path,
    async makeFolder(name) {
      const folder = join(path, name)
      await mkdir(folder)
      await handOver(folder, 0o755)
      return folder
    },
    async write(name, content, mode = 0o644) {
      const file = join(path, name)
      await writeFile(file, content)
      await handOver(file, mode)
      return file
    },
    async [Symbol.asyncDispose]() {
      // A server's last child may still be writing.
      await rm(path, { recursive: true, force: true, maxRetries: 20 })
    },
  }
}

async function handOver(path: string, mode: number): Promise<void> {
  await chmod(path, mode)
  if (serverUser.drops) await chown(path, serverUser.uid, serverUser.gid)
}
