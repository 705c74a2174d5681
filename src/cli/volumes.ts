import { Command } from 'commander'
import { formatBytes } from '../shared/units.ts'
import type { Volume } from '../shared/volumes.ts'
import { listOf, removalOf, showOf, type Things } from './named-things.ts'
import { positiveInteger, word } from './parse.ts'
import { finishJob, finishJobs } from './jobs.ts'
import { named, remote } from './remote.ts'
import { note, print, printJson } from './terminal.ts'
import { printReport } from './test-report.ts'

export const volumeThings: Things<Volume> = {
  list: 'GET /api/v1/volumes',
  one: 'volume',
  many: 'volumes',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    KIND: ({ kind }) => kind,
    LOCATION: ({ location }) => location ?? 'its settings are not valid any more',
    'QUOTA ': ({ quota }) => (quota === null ? '-' : formatBytes(quota)),
    MARKS: ({ isReadOnly }) => (isReadOnly ? 'read only' : ''),
  },
}

interface AddOptions {
  name: string
  readOnly?: boolean
  maxRunning?: number
  json?: boolean
}

export const volumes = new Command('volumes')
  .description('The places where the app keeps snapshots')
  .addCommand(listOf(volumeThings))
  .addCommand(showOf(volumeThings))
  .addCommand(
    new Command('add')
      .description('Add a volume by its URL; secrets by AWS_* or HOLDFAST_VOLUME_PASSWORD')
      .argument('<volume-url>', 'a folder, s3://bucket/prefix, sftp://user@host/path')
      .requiredOption('--name <name>', 'what people call it', word('--name'))
      .option('--read-only', 'for imports: nothing on it is changed')
      .option('--max-running <n>', 'how many jobs may use it at once (default: 4)', positiveInteger)
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('test')
      .description('Write, read, list and remove an object on a volume, and say step by step what went wrong')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, volumeThings.list, 'volume', name)
        printReport(await app.ask('POST /api/v1/volumes/{id}/test', { params: { id } }), json)
      }),
  )
  .addCommand(
    new Command('usage')
      .description('How much a volume holds')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, volumeThings.list, 'volume', name)
        const usage = await app.ask('GET /api/v1/volumes/{id}/usage', { params: { id } })
        if (json) return printJson(usage)
        print(`${usage.snapshots} snapshots, ${formatBytes(usage.bytes)}`)
        for (const [state, count] of Object.entries(usage.copies)) {
          if (count > 0) print(`  ${state.padEnd(15)} ${count}`)
        }
      }),
  )
  .addCommand(
    new Command('scan')
      .description('Read the manifests on a volume, and add to the catalogue what it does not know')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the job as JSON')
      .action(async (name: string, options: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, volumeThings.list, 'volume', name)
        const job = await app.ask('POST /api/v1/volumes/{id}/scan', { params: { id } })
        await finishJob(app, job.id, options)
      }),
  )
  .addCommand(
    new Command('check')
      .description('Look whether every copy on a volume is there')
      .argument('<name>', 'its name or id')
      .option('--contents', 'read a share of all bytes, too, and compare them')
      .option('--json', 'print the job as JSON')
      .action(async (name: string, { contents, ...options }: { contents?: boolean; json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, volumeThings.list, 'volume', name)
        const body = { contents: contents ?? false }
        const { jobIds } = await app.ask('POST /api/v1/volumes/{id}/check', { params: { id }, body })
        await finishJobs(app, jobIds, options)
      }),
  )
  .addCommand(
    removalOf(volumeThings, [
      { flags: '--copies <word>', description: 'forget: the objects stay there, the app forgets them' },
    ]),
  )

async function add(url: string, options: AddOptions): Promise<void> {
  const { openVolumeUrl } = await import('../volumes/index.ts')
  const { kind, volume, config, warnings } = openVolumeUrl(url, process.env)
  await volume[Symbol.asyncDispose]()
  warnings.forEach((warning) => note(`warning: ${warning}`))
  const app = await remote()
  const body = {
    name: options.name,
    kind,
    settings: config,
    isReadOnly: options.readOnly ?? false,
    ...(options.maxRunning !== undefined && { maxRunning: options.maxRunning }),
  }
  const added = await app.ask('POST /api/v1/volumes', { body })
  if (options.json) return printJson(added)
  print(`Added volume “${added.name}” (${added.id}).`)
  print(`Try it: holdfast volumes test ${added.id}`)
}
