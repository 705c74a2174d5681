import { Command } from 'commander'
import { engineNamed } from '../engines/index.ts'
import { findSnapshot } from '../runner/manifests.ts'
import { verifyCopy } from '../runner/verify-copy.ts'
import { formatBytes } from '../shared/units.ts'
import { keyRing } from './environment.ts'
import { interruption } from './interruption.ts'
import { jobContext, print, printJson } from './terminal.ts'
import { withVolume } from './with-volume.ts'

interface Options {
  on: string
  json?: boolean
  quiet?: boolean
}

export const verify = new Command('verify')
  .description('Read a snapshot from its first byte to its last and prove that it is what its manifest says')
  .argument('<snapshot>', 'its id, the first eight or more characters of it, or its key')
  .requiredOption('--on <volume-url>', 'the volume')
  .option('--json', 'print the result as JSON')
  .option('-q, --quiet', 'no progress')
  .action((idOrKey: string, options: Options) =>
    withVolume(options.on, async (volume) => {
      const job = jobContext(interruption(), options)
      try {
        const { key, manifest } = await findSnapshot(volume, idOrKey, job.signal)
        const engine = engineNamed(manifest.server.engine)
        const verified = await verifyCopy(engine, volume, key, manifest, await keyRing(), job)
        job.done()
        if (options.json) {
          printJson({ id: manifest.snapshot, key, verified: true, ...verified })
          return
        }
        print(`Verified ${manifest.database} of ${manifest.startedAt}: every byte is as it was stored.`)
        print(`  object    ${formatBytes(verified.storedBytes)}, SHA-256 ${manifest.stored.sha256}`)
        print(
          `  dump      ${formatBytes(verified.rawBytes)}, SHA-256 ${manifest.raw.sha256}, ends as ${manifest.tool.name} ends it`,
        )
        if (verified.tables !== undefined)
          print(`  contents  ${verified.tables} tables, ${verified.rows} rows`)
      } finally {
        job.done()
      }
    }),
  )
