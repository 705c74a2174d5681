import { Command } from 'commander'
import type { DatabaseRetention } from '../shared/retention-preview.ts'
import { formatBytes } from '../shared/units.ts'
import { localTime } from './named-things.ts'
import { planThings } from './plans.ts'
import { named, remote } from './remote.ts'
import { print, printJson } from './terminal.ts'

interface Options {
  plan?: string
  database?: string
  until?: string
  json?: boolean
}

export const retention = new Command('retention').description('How long snapshots are kept').addCommand(
  new Command('preview')
    .description('Which snapshots go, which stay, and why')
    .option('--plan <name>', 'only those of this plan')
    .option('--database <name>', 'only those of this database')
    .option('--until <time>', 'what goes until then if nothing new comes (ISO 8601; default: now)')
    .option('--json', 'print the result as JSON')
    .action(async ({ plan, json, ...query }: Options) => {
      const app = await remote()
      const planId = plan === undefined ? undefined : (await named(app, planThings.list, 'plan', plan)).id
      const items = await app.all('GET /api/v1/retention/preview', { query: { plan: planId, ...query } })
      if (json) return printJson({ items })
      for (const item of items) describe(item)
      if (items.length === 0) print('No plan has snapshots.')
    }),
)

function describe({ database, goes, stays, bytes }: DatabaseRetention): void {
  print(`${database}: ${goes.length} copies go (${formatBytes(bytes)}), ${stays.length} stay`)
  for (const { goesAt, takenAt, volumeName, reasons } of goes) {
    print(`  goes ${localTime(goesAt)}  ${localTime(takenAt)} on ${volumeName}: ${reasons.join('; ')}`)
  }
  for (const { takenAt, volumeName, reasons } of stays) {
    print(`  stays                  ${localTime(takenAt)} on ${volumeName}: ${reasons.join('; ')}`)
  }
}
