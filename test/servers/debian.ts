import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { architecture } from './architecture.ts'
import { failureFile, prefixFolder, type Stamp, stampFile } from './cache.ts'
import { readElf } from './elf.ts'
import { prefixes, type PrefixName } from './needs-list.ts'

const execute = promisify(execFile)
const quietly = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' }

/**
 * Dependencies that only install scripts or an init system use. They are more than half of what Ceph and Swift
 * bring along, and unpacking is what takes the time.
 */
const unneeded = new RegExp(
  `^(${[
    'adduser|base-passwd|binutils.*|ca-certificates|ceph-volume|cron.*|cryptsetup-bin|debconf|debianutils|dmeventd',
    'dmidecode|docutils-common|dpkg|e2fsprogs|gdisk|gettext.*|hdparm|ieee-data|init-system-helpers',
    'intltool-debian|jq|lib.*-perl|libbinutils|libc-l10n|libdebconfclient0|libgprofng0|libllvm.*|libperl5.*',
    'libsystemd-shared|locales|login.*|logrotate|logsave|lvm2|media-types|mount|netbase|nvme-cli|openssl',
    'openstack-pkg-tools|parted|passwd|perl.*|po-debconf|postgresql(-client)?-common|procps|psmisc',
    'python3-(docutils|pip|roman|wheel)|rsync|rsyslog|runit-helper|sed|sensible-utils|sgml-base|smartmontools',
    'ssl-cert|sudo|systemd|sysvinit-utils|tar|tzdata|ucf|uuid-runtime|uwsgi-.*|wget|xfsprogs|xml-core',
  ].join('|')})_`,
)

/** Installs packages of this machine's own release. None of their services is started. */
export async function installPackages(packages: string[]): Promise<void> {
  await using _policy = await denyServices()
  try {
    await aptInstall(packages)
    return
  } catch {
    // The package lists are missing or too old, or the second attempt says what else is wrong.
  }
  const unreached = await updatePackageLists().catch((error: unknown) => error)
  try {
    await aptInstall(packages)
  } catch (error) {
    throw unreached ?? error
  }
}

/** The file is asked before a service is started; 101 means "forbidden". */
async function denyServices(): Promise<AsyncDisposable> {
  const policy = '/usr/sbin/policy-rc.d'
  const existed = existsSync(policy)
  if (!existed) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return {
    async [Symbol.asyncDispose]() {
      if (!existed) await rm(policy)
    },
  }
}

async function aptInstall(packages: string[]): Promise<void> {
  const options = [
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=300',
    '-o',
    'DPkg::Options::=--force-unsafe-io',
  ]
  await apt(['install', '-y', ...options, ...packages], quietly)
}

async function updatePackageLists(): Promise<void> {
  const giveUpAt = Date.now() + 120_000
  for (;;) {
    try {
      return await apt(['update'], quietly)
    } catch (error) {
      // Unlike an installation, an update does not wait for another one to end.
      const locked = String(error).includes('Could not get lock')
      if (!locked || Date.now() > giveUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}

/**
 * Unpacks packages of another suite, with all they depend on, into the prefix's folder, and binds its programs to
 * the C library in there, because newer programs do not run on an older one. Nothing is installed, and root is
 * not needed. Install scripts do not run.
 */
export async function buildPrefix(name: PrefixName, patchelfIsThere: Promise<void>): Promise<void> {
  const folder = prefixFolder(name)
  await rm(folder, { recursive: true, force: true })
  await rm(failureFile(folder), { force: true })
  const download = join(folder, '.download')
  await mkdir(join(download, 'lists', 'partial'), { recursive: true })
  await mkdir(join(download, 'archives', 'partial'), { recursive: true })
  const packages = await downloadPackages(name, download)
  await inParallel(packages, async (file) => {
    await execute('dpkg-deb', ['--extract', file, folder])
  })
  await rm(download, { recursive: true })
  await patchelfIsThere
  await bindPrograms(folder)
  await compilePython(folder)
  const stamp: Stamp = {
    builtAt: new Date().toISOString(),
    packages: packages.map((file) => basename(file, '.deb')).sort(),
  }
  await writeFile(`${stampFile(folder)}.new`, JSON.stringify(stamp, undefined, 2))
  await rename(`${stampFile(folder)}.new`, stampFile(folder))
}

/** Removes what was built and leaves the reason, for the tests that are then skipped. */
export async function recordFailure(name: PrefixName, reason: string): Promise<void> {
  const folder = prefixFolder(name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(dirname(folder), { recursive: true })
  await writeFile(
    failureFile(folder),
    JSON.stringify({ failedAt: new Date().toISOString(), reason }, undefined, 2),
  )
}

async function downloadPackages(name: PrefixName, folder: string): Promise<string[]> {
  const { suite, packages } = prefixes[name]
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  const sources = join(folder, 'sources.list')
  const status = join(folder, 'status')
  const configuration = join(folder, 'apt.conf')
  await writeFile(status, '')
  await writeFile(sources, `deb [signed-by=${keyring}] ${await mirror()} ${suite} main\n`)
  // The machine's own configuration is left out but for proxies and the like: it may have hooks.
  const { stdout } = await execute('apt-config', ['dump'])
  const settings = [
    ...stdout.split('\n').filter((line) => line.startsWith('Acquire::')),
    'Dir::Etc::Main "/dev/null";',
    'Dir::Etc::Parts "/dev/null";',
    `Dir::Etc::SourceList "${sources}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    `Dir::State::Lists "${join(folder, 'lists')}";`,
    `Dir::State::Status "${status}";`,
    `Dir::Cache::Archives "${join(folder, 'archives')}";`,
    'Dir::Cache::PkgCache "";',
    'Dir::Cache::SrcPkgCache "";',
    'APT::Sandbox::User "";',
    'Debug::NoLocking "1";',
    'Acquire::Languages "none";',
  ]
  await writeFile(configuration, settings.join('\n'))
  const environment = { ...quietly, APT_CONFIG: configuration }
  await apt(['update', '-o', 'APT::Update::Error-Mode=any'], environment)
  await apt(['install', '-y', '--download-only', '--no-install-recommends', ...packages], environment)
  const archives = join(folder, 'archives')
  const files = (await readdir(archives)).filter((file) => file.endsWith('.deb') && !unneeded.test(file))
  return files.map((file) => join(archives, file))
}

/** Debian's archive where this machine already gets its packages from. */
async function mirror(): Promise<string> {
  const { stdout } = await execute('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
  ])
  const archive = stdout.split('\n').find((address) => /\/debian\/?$/.test(address))
  return archive ?? 'http://deb.debian.org/debian'
}

async function apt(args: string[], environment: Record<string, string>): Promise<void> {
  try {
    await execute('apt-get', ['-qq', ...args], {
      env: { ...process.env, ...environment },
      maxBuffer: 64 * 1024 * 1024,
    })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    const said = stderr?.match(/(?<=^E: ).*/gm) ?? [`apt-get ${args[0]} failed`]
    throw new Error(said.map((sentence) => sentence.replace(/\.?$/, '.')).join(' '), {
      cause: error,
    })
  }
}

/**
 * A program's RPATH holds for the libraries that it loads too, unless such a library has a RUNPATH. So it is
 * enough to set the one and remove the others, which leaves most files as they are.
 */
async function bindPrograms(folder: string): Promise<void> {
  const { triplet, loader } = architecture()
  const libraries = join(folder, 'usr/lib', triplet)
  const searched = new Set([libraries, join(folder, 'lib', triplet)])
  const programs: string[] = []
  const ownPath: string[] = []
  for (const file of await candidates(join(folder, 'usr'))) {
    const elf = await readElf(file)
    if (!elf) continue
    const isLibrary = /\.so(\.|$)/.test(file)
    if (elf.program && !isLibrary) programs.push(file)
    else if (elf.libraryPath.length > 0) ownPath.push(file)
    for (const path of elf.libraryPath) {
      if (path.startsWith('/')) searched.add(join(folder, path))
      else searched.add(path.replace('$ORIGIN', dirname(file)))
    }
  }
  if (ownPath.length > 0) await execute('patchelf', ['--remove-rpath', ...ownPath])
  const interpreter = ['--set-interpreter', join(libraries, loader)]
  const path = ['--force-rpath', '--set-rpath', [...searched].join(':')]
  await execute('patchelf', [...interpreter, ...path, ...programs])
}

/** Or else each start of a program would do it, because whoever runs it may not write here. */
async function compilePython(folder: string): Promise<void> {
  const python = join(folder, 'usr/bin/python3')
  if (!existsSync(python)) return
  const skipped = ['-x', '/(tests?|pip|setuptools|ceph_volume|idlelib|docutils)/']
  const libraries = (await readdir(join(folder, 'usr/lib')))
    .filter((name) => name.startsWith('python3'))
    .map((name) => join(folder, 'usr/lib', name))
  await execute(python, [
    '-m',
    'compileall',
    '-q',
    '-j',
    String(availableParallelism()),
    ...skipped,
    ...libraries,
  ])
}

async function candidates(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(
      (entry) => entry.isFile() && !/\.(py|pyc|h|mo|gz|txt|sql|html|json|xml|conf|control)$/.test(entry.name),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(join(folder, 'share')))
}

const waiting: (() => void)[] = []
let free = availableParallelism()

/** Runs the work on each item, on no more processors than there are, together with other calls. */
async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  await Promise.all(
    items.map(async (item) => {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        await work(item)
      } finally {
        const next = waiting.shift()
        if (next) next()
        else free += 1
      }
    }),
  )
}
