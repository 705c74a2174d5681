import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDesk } from '../e2e/cli.ts'
import { placeKinds, snapshotsOn } from '../e2e/places.ts'
import { anyForm } from './forms.ts'
import { type Bench, type Group, momentIn, needsOf, oneOf } from './suite.ts'

/** What an interrupted run may take to end its tool and to tidy up; a fraction of it is usual. */
const TIDY_WITHIN = 10_000
/** Until Node has started and listens to signals, they end it as they end every program. */
const STARTED = 1_500

/** Ctrl-C, or what a supervisor sends: the run ends with 130, and nothing of it is left anywhere. */
export function interrupt({ sources, grounds }: Bench): Group[] {
  const once = (['SIGINT', 'SIGTERM'] as const).flatMap((signal) =>
    placeKinds.map((kind) => ({
      name: `${signal} during a backup to ${kind}`,
      needs: [...needsOf.postgresql, ...needsOf[kind]],
      few: signal === 'SIGTERM' ? 1 : 0,
      async round() {
        const source = await sources.source(oneOf(['postgresql', 'sqlite'] as const))
        await using desk = await openDesk()
        await using place = await grounds.place(kind)
        const form = anyForm()
        const args = ['backup', 'once', source.url(), '--to', place.url, ...form.args, '--json']
        const run = desk.start(args, { env: { ...source.env, ...place.env, ...form.env } })
        await Promise.race([run.ended, sleep(momentIn(2 * STARTED))])
        const signalledAt = performance.now()
        run.kill(signal)
        const end = await run.ended
        const about = `${source.kind}, ${form.name}: ${end.exitCode} ${end.killedBy} ${end.stdout}${end.stderr}`
        assert.ok(performance.now() - signalledAt < 2 * TIDY_WITHIN, `it went on: ${about}`)
        assert.deepEqual(await desk.quiet(), [], `processes were left: ${about}`)
        assert.deepEqual(await desk.temporaryFiles(), [], `temporary files were left: ${about}`)
        // A process that is just ending after its result is ended by the signal as any other.
        const hadSucceeded = end.exitCode === 0 || end.stdout.includes('"state": "succeeded"')
        if (hadSucceeded) {
          assert.equal((await snapshotsOn(place)).length, 1, about)
        } else {
          if (end.killedBy !== signal) assert.equal(end.exitCode, 130, about)
          assert.deepEqual(await place.everything(), [], `left on the volume: ${about}`)
        }
      },
    })),
  )
  const twice = {
    name: 'a second signal ends it at once, with a tool that ignores SIGTERM',
    needs: needsOf.postgresql,
    few: 1,
    async round() {
      const source = await sources.source('postgresql')
      await using desk = await openDesk()
      await using place = await grounds.place('local')
      const started = join(desk.folder.path, 'started')
      const programs = join(desk.folder.path, 'programs')
      await mkdir(programs)
      const tool = join(programs, source.tool)
      const stubborn = join(import.meta.dirname, '../misbehaving/ignores-sigterm')
      await writeFile(
        tool,
        `#!/bin/sh\ncase "$*" in *--version*) exec /usr/bin/${source.tool} "$@" ;; esac\n: > '${started}'\nexec '${stubborn}'\n`,
      )
      await chmod(tool, 0o755)
      const run = desk.start(['backup', 'once', source.url(), '--to', place.url], {
        env: { ...source.env, ...place.env },
        programs: [programs],
      })
      while (!existsSync(started)) await sleep(10)
      run.kill('SIGTERM')
      while (!run.said().includes('SIGTERM')) await sleep(10)
      run.kill('SIGTERM')
      const end = await run.ended
      assert.equal(end.exitCode, 143, end.stderr)
      assert.deepEqual(await desk.quiet(), [], 'processes were left')
    },
  }
  return [...once, twice]
}
