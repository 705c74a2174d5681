import { join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { makeDataDirectory } from '../app/app-key.ts'
import { makeSample, SAMPLE_ORDERS } from '../app/demo/sample.ts'
import { openDatabaseUrl, parseSettings } from '../engines/index.ts'
import { restoreSnapshot } from '../runner/restore-snapshot.ts'
import { takeSnapshot } from '../runner/take-snapshot.ts'
import { sweepUnfinished } from '../runner/writing.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { openVolumeUrl } from '../volumes/index.ts'
import { keyRing } from './environment.ts'
import { interruption } from './interruption.ts'
import { jobContext, print } from './terminal.ts'

export const demo = new Command('demo')
  .description('Make a sample database, back it up, restore it beside, and compare')
  .option('--data <folder>', 'where to', process.env['HOLDFAST_DATA_DIR'] ?? 'data')
  .action(async (options: { data: string }) => {
    const data = resolve(options.data)
    const shown = relative(process.cwd(), data) || '.'
    const database = join(data, 'sample.db')
    const restored = join(data, 'sample-restored.db')
    const folder = join(data, 'backups')
    await makeDataDirectory(data)
    makeSample(database)
    print(`1. Made a sample shop in ${join(shown, 'sample.db')}: ${SAMPLE_ORDERS} orders.`)

    const job = jobContext(interruption(), {})
    const { volume } = openVolumeUrl(folder, {})
    await using _volume = volume
    await sweepUnfinished(volume, job)
    const stallAfter = 30 * 60_000
    const source = openDatabaseUrl(`sqlite:${encodeURI(database)}`, {})
    const { key, manifest } = await takeSnapshot(
      {
        ...source,
        database,
        dumpOptions: parseSettings(source.engine.dumpOptions, {}, 'the options'),
        serverName: 'sample',
        compression: { method: 'zstd', level: 3, threads: 1 },
        keys: await keyRing(),
        volumes: [{ name: folder, volume }],
        trigger: 'manual',
        stallAfter,
      },
      job,
    )
    job.done()
    print(`2. Backed it up to ${join(shown, 'backups', key)}`)
    print(
      `   ${formatBytes(manifest.raw.bytes)} → ${formatBytes(manifest.stored.bytes)}, SHA-256 ${manifest.stored.sha256}`,
    )

    const target = openDatabaseUrl(`sqlite:${encodeURI(restored)}`, {})
    const { rows, seconds } = await restoreSnapshot(
      {
        ...target,
        database: restored,
        mode: 'replace',
        restoreOptions: parseSettings(target.engine.restoreOptions, {}, 'the options'),
        partial: false,
        endSessions: false,
        snapshot: { key, manifest, volume },
        keys: await keyRing(),
        stallAfter,
      },
      job,
    )
    job.done()
    const total = Object.values(seconds).reduce((sum, part) => sum + part, 0)
    print(`3. Restored it to ${join(shown, 'sample-restored.db')} in ${formatSeconds(total)}.`)
    print(`4. Compared: ${rows?.tables} tables, ${rows?.rows} rows, the same in both.`)
    print()
    print('Now with a database of your own:')
    print(`  bin/holdfast test postgresql://user@host/app`)
    print(`  bin/holdfast backup once postgresql://user@host/app --to ${join(shown, 'backups')}`)
    print(`  bin/holdfast snapshots ls --on ${join(shown, 'backups')}`)
    print(`  bin/holdfast --help`)
  })
