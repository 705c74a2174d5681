import { run } from './process.ts'
import { takeAwayAtTheEnd } from './leftovers.ts'
import { tempFolder } from './temp-folder.ts'

export interface SmallDisk extends AsyncDisposable {
  path: string
}

/** A file system in memory that holds so many bytes and no more. Needs root. */
export async function smallDisk({ bytes }: { bytes: number }): Promise<SmallDisk> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('small-disk'))
  const path = await folder.makeFolder('disk')
  const asRoot = { folder: '/', asRoot: true }
  takeAwayAtTheEnd({ kind: 'mount', path })
  await run({
    file: 'mount',
    args: ['-t', 'tmpfs', '-o', `size=${bytes},mode=0777`, 'tmpfs', path],
    ...asRoot,
  })
  stack.defer(async () => {
    await run({ file: 'umount', args: [path], ...asRoot })
  })
  const cleanUp = stack.move()
  return { path, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() }
}
