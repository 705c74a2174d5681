import { once } from 'node:events'
import { Command } from 'commander'
import { readConfiguration } from '../app/configuration.ts'
import type { RunningApp, RunOptions } from '../app/serve.ts'
import { interruption } from './interruption.ts'
import { positiveInteger } from './parse.ts'
import { note, print } from './terminal.ts'

const ENVIRONMENT = '\nAll settings are in the environment: see docs/guide/configuration.md.'

export const serve = new Command('serve')
  .description('Run the app: its API, its schedules, and its jobs')
  .option('--no-runner', 'run no jobs here: holdfast worker does, on as many machines as there are')
  .option('--concurrency <n>', 'how many jobs run at once (default: the number of cores)', positiveInteger)
  .option('--labels <list>', 'run also plans that ask for one of these labels', labels)
  .addHelpText(
    'after',
    `
As long as nobody has an account, each start prints a link with which the first one is made. For programs, tokens are made
with: holdfast token create
${ENVIRONMENT}`,
  )
  .action(async ({ runner, ...options }: Options & { runner: boolean }) => {
    const app = await import('../app/serve.ts')
    await run((configuration) =>
      app.serve(configuration, { ...optionsOf(options), isWithoutRunner: !runner }),
    )
  })

export const worker = new Command('worker')
  .description('Run jobs of an app whose store is PostgreSQL, and nothing else')
  .option('--concurrency <n>', 'how many jobs run at once (default: the number of cores)', positiveInteger)
  .option('--labels <list>', 'run also plans that ask for one of these labels', labels)
  .addHelpText('after', ENVIRONMENT)
  .action(async (options: Options) => {
    const app = await import('../app/serve.ts')
    await run((configuration) => app.work(configuration, optionsOf(options)))
  })

interface Options {
  concurrency?: number
  labels?: string[]
}

async function run(
  start: (configuration: ReturnType<typeof readConfiguration>['configuration']) => Promise<RunningApp>,
): Promise<void> {
  const { configuration, warnings } = readConfiguration(process.env)
  const signal = interruption('stopping; jobs that have not ended in ten seconds are handed back')
  await using app = await start(configuration)
  for (const warning of [...warnings, ...app.warnings]) note(`warning: ${warning}`)
  for (const text of app.notes) print(`${text}\n`)
  print(app.url === undefined ? 'Holdfast waits for jobs.' : `Holdfast answers at ${app.url}`)
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), app.lost])
}

function optionsOf({ concurrency, labels }: Options): RunOptions {
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(labels && { labels }),
    onTrouble: (message) => note(`warning: ${message}`),
  }
}

function labels(text: string): string[] {
  return text
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '')
}
