import { Command } from 'commander'
import { type DatabaseStanding, describeTrouble, type Trouble } from '../shared/overview.ts'
import { localTime, printTable } from './named-things.ts'
import { remote } from './remote.ts'
import { print, printJson } from './terminal.ts'

const columns: Record<string, (standing: DatabaseStanding) => string> = {
  STANDING: ({ standing }) => standing,
  SERVER: ({ serverName }) => serverName,
  DATABASE: ({ database }) => database ?? '(none known yet)',
  PLAN: ({ planName }) => planName,
  'LAST SUCCESS (UTC)': ({ lastSuccessAt }) => localTime(lastSuccessAt),
  'NEXT (UTC)': ({ nextRunAt }) => localTime(nextRunAt),
  'WHAT IS WRONG': ({ standing, lastError }) => (standing === 'failing' ? (lastError?.message ?? '') : ''),
}

const troubleColumns: Record<string, (trouble: Trouble) => string> = {
  'ALSO WRONG': describeTrouble,
  NAME: ({ name }) => name,
  'SINCE (UTC)': ({ since }) => localTime(since),
  'WHAT WAS SAID': ({ message }) => message ?? '',
}

export const overview = new Command('overview')
  .description('Which databases are protected, and which are not, and why; and what else needs attention')
  .option('--standing <word>', 'protected, overdue, failing or never')
  .option('--json', 'print the result as JSON')
  .action(async ({ standing, json }: { standing?: string; json?: boolean }) => {
    const app = await remote()
    const query = { standing: standing?.split(',') as DatabaseStanding['standing'][] | undefined }
    const items = await app.all('GET /api/v1/overview', { query })
    const { counts, troubles } = await app.ask('GET /api/v1/overview', { query: { limit: 1 } })
    if (json) printJson({ counts, items, troubles })
    else {
      const said = Object.entries(counts).map(([word, count]) => `${count} ${word}`)
      print(`${said.join(' · ')}\n`)
      printTable(items, columns, { json, none: 'No plan asks for any database.' })
      if (troubles.length > 0) {
        print('')
        printTable(troubles, troubleColumns, { json, none: '' })
      }
    }
    const isWell = counts.overdue + counts.failing + counts.never + troubles.length === 0
    if (!isWell) process.exitCode = 1
  })
