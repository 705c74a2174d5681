import { readdirSync, readFileSync } from 'node:fs'

export interface SeenProcess {
  pid: number
  argv: string[]
  environment: string[]
}

/** Every process, by what it was started with. Those that end while they are looked at are left out, and zombies. */
function allProcesses(): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const argv = readFileSync(`/proc/${name}/cmdline`, 'utf8')
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8')
        if (argv === '') return []
        return [{ pid: Number(name), argv: listOf(argv), environment: listOf(environment) }]
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return []
        throw error
      }
    })
}

/** Every process that has this `NAME=value` in its environment. */
export function processesWith(variable: string): SeenProcess[] {
  return allProcesses().filter(({ environment }) => environment.includes(variable))
}

function listOf(text: string): string[] {
  return text.split('\0').slice(0, -1)
}
