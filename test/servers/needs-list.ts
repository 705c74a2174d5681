/**
 * What the tests need beyond npm. `scripts/test-needs.ts` provides it, `needs.ts` tells a test whether it is
 * there.
 */

/** Newer packages than this machine's release has, unpacked into a folder of their own. */
export interface Prefix {
  suite: string
  packages: string[]
  /** A suite that is not released changes daily and may fail to resolve; the tests then do without it. */
  moves?: true
  /** Built only if that other one could not be had. */
  insteadOf?: 'forky'
}

export const prefixes = {
  trixie: {
    suite: 'trixie',
    packages: [
      'mariadb-server-core',
      'mariadb-client',
      'radosgw',
      'ceph-mon',
      'ceph-osd',
      'swift-proxy',
      'swift-account',
      'swift-container',
      'swift-object',
    ],
  },
  forky: { suite: 'forky', packages: ['postgresql-18', 'postgresql-client-18'], moves: true },
  sid: { suite: 'sid', packages: ['mysql-server-core', 'mysql-client-core'], moves: true },
  'trixie-postgresql': {
    suite: 'trixie',
    packages: ['postgresql-17', 'postgresql-client-17'],
    insteadOf: 'forky',
  },
} satisfies Record<string, Prefix>

export type PrefixName = keyof typeof prefixes

interface Need {
  /** As it is called in a skipped test's reason. */
  label: string
  /** Packages of this machine's own Debian release. */
  debian?: string[]
  prefix?: PrefixName
  /** Present if all of these are: absolute paths, or paths inside the prefix. */
  programs: string[]
}

export const needs = {
  postgres15: {
    label: 'PostgreSQL 15',
    debian: ['postgresql-15'],
    programs: ['/usr/lib/postgresql/15/bin/postgres', '/usr/lib/postgresql/15/bin/pg_dump'],
  },
  postgres17: {
    label: 'PostgreSQL 17',
    prefix: 'trixie-postgresql',
    programs: ['usr/lib/postgresql/17/bin/postgres', 'usr/lib/postgresql/17/bin/pg_dump'],
  },
  postgres18: {
    label: 'PostgreSQL 18',
    prefix: 'forky',
    programs: ['usr/lib/postgresql/18/bin/postgres', 'usr/lib/postgresql/18/bin/pg_dump'],
  },
  'mariadb10.11': {
    label: 'MariaDB 10.11',
    debian: ['mariadb-server-core', 'mariadb-client'],
    programs: ['/usr/sbin/mariadbd', '/usr/bin/mariadb-install-db', '/usr/bin/mariadb-dump'],
  },
  'mariadb11.8': {
    label: 'MariaDB 11.8',
    prefix: 'trixie',
    programs: ['usr/sbin/mariadbd', 'usr/bin/mariadb-install-db', 'usr/bin/mariadb-dump'],
  },
  mysql9: {
    label: 'MySQL 9',
    prefix: 'sid',
    programs: ['usr/sbin/mysqld', 'usr/bin/mysqldump'],
  },
  ceph: {
    label: 'Ceph',
    prefix: 'trixie',
    programs: ['usr/bin/radosgw', 'usr/bin/radosgw-admin', 'usr/bin/ceph-mon', 'usr/bin/ceph-osd'],
  },
  swift: {
    label: 'OpenStack Swift',
    prefix: 'trixie',
    programs: ['usr/bin/swift-proxy-server', 'usr/bin/swift-object-server'],
  },
  sshd: { label: 'OpenSSH’s server', debian: ['openssh-server'], programs: ['/usr/sbin/sshd'] },
  '7zip': { label: '7-Zip', debian: ['7zip'], programs: ['/usr/bin/7zz'] },
  age: { label: 'age', debian: ['age'], programs: ['/usr/bin/age', '/usr/bin/age-keygen'] },
  zstd: { label: 'zstd', debian: ['zstd'], programs: ['/usr/bin/zstd'] },
  chromium: { label: 'Chromium', debian: ['chromium'], programs: ['/usr/bin/chromium'] },
  openssl: { label: 'openssl', debian: ['openssl'], programs: ['/usr/bin/openssl'] },
} satisfies Record<string, Need>

export type NeedName = keyof typeof needs

/** Makes the prefixes; no test needs it. */
export const patchelf = { debian: ['patchelf'], program: '/usr/bin/patchelf' }
