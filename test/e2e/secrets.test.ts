import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTokenFile } from '../../src/app/token-file.ts'
import { skipUnless } from '../servers/needs.ts'
import { startPostgres } from '../servers/postgres.ts'
import { descendantsOf } from '../servers/process-table.ts'
import { startHttpReceiver } from '../servers/http-receiver.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { type Client, client, startApp } from './app.ts'

/*
 * Every secret that the app can be given is a canary, and is looked for afterwards wherever somebody else could read: in
 * what programs are started with while jobs run, in all that is logged and answered, on the volumes, in the audit log,
 * and in the app's own database, where it is sealed or only a hash.
 */

/** What must be seen nowhere, by what it is. */
type Canaries = Record<string, string>

function canary(): string {
  return `Canary-${randomBytes(9).toString('hex')}`
}

/** What was seen, and where. */
interface Seen {
  where: string
  text: string
}

/** Reads what the app's children are started with, until it is stopped. */
function watchProcesses(pid: number, canaries: Canaries) {
  const seen: Seen[] = []
  const lines = new Set<string>()
  const stop = new AbortController()
  const mayKnow: Record<string, string> = { PGPASSWORD: 'database password' }
  const look = () => {
    for (const child of descendantsOf(pid)) {
      const argv = read(`/proc/${child.pid}/cmdline`).split('\0')
      const line = argv.join(' ')
      // A child is still the app itself until it has become another program.
      if (line === '' || line.includes('src/cli/main.ts') || line.includes('bin/holdfast')) continue
      if (!lines.has(line)) seen.push({ where: `the arguments of ${basename(argv[0] ?? '')}`, text: line })
      lines.add(line)
      for (const variable of read(`/proc/${child.pid}/environ`).split('\0')) {
        const [name = ''] = variable.split('=', 1)
        for (const [what, value] of Object.entries(canaries)) {
          if (variable.includes(value) && mayKnow[name] !== what) {
            seen.push({ where: `the environment of ${basename(argv[0] ?? '')}`, text: variable })
          }
        }
      }
    }
  }
  const watching = (async () => {
    while (!stop.signal.aborted) {
      look()
      await sleep(3)
    }
  })()
  return {
    seen,
    programs: () => new Set([...lines].map((line) => basename(line.split(' ')[0] ?? ''))),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watching
    },
  }
}

/** Empty for what is gone already. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

interface Description {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>
}

/** What every GET answers, with the ids of what there is. */
async function everyAnswer(api: Client): Promise<Seen[]> {
  const { paths } = await api.get<Description>('GET', '/api/openapi.json')
  const answers: Seen[] = []
  const ids: Record<string, string[]> = {}
  const urls = Object.entries(paths)
    .filter(
      ([, item]) =>
        item['get'] && !JSON.stringify(item['get'].responses['200'] ?? {}).includes('event-stream'),
    )
    .map(([path]) => path)
    .sort((a, b) => a.split('/').length - b.split('/').length)
  for (const path of urls) {
    const kind = path.split('/')[3] ?? ''
    const targets = path.includes('{') ? (ids[kind] ?? []).map((id) => path.replace(/\{\w+\}/, id)) : [path]
    for (const url of targets) {
      const { status, text } = await api.ask('GET', url)
      assert.notEqual(status, 500, `GET ${url}: ${status} ${text}`)
      answers.push({ where: `GET ${url}`, text })
      if (path.includes('{') || !text.startsWith('{"items"')) continue
      const { items } = JSON.parse(text) as { items?: { id?: string }[] }
      ids[kind] = (items ?? []).flatMap(({ id }) => id ?? [])
    }
  }
  for (const id of ids['jobs'] ?? []) {
    answers.push({
      where: `the log of job ${id}`,
      text: (await api.ask('GET', `/api/v1/jobs/${id}/log?as=text`)).text,
    })
  }
  for (const as of ['jsonl', 'csv']) {
    answers.push({
      where: `the audit log as ${as}`,
      text: (await api.ask('GET', `/api/v1/audit/export?as=${as}`)).text,
    })
  }
  answers.push({ where: 'the page of the API', text: (await api.ask('GET', '/api/docs')).text })
  return answers
}

describe('a secret of the app', () => {
  it('is seen nowhere, whatever is done with it', { skip: skipUnless('postgres15') }, async () => {
    await using database = await startPostgres({ major: 15 })
    await using folder = await tempFolder('canaries')
    await using receiver = await startHttpReceiver(() => ({ status: 500, body: 'no' }))
    const canaries: Canaries = {}
    const secret = (what: string) => (canaries[what] = canary())
    const password = secret('database password')
    await database.query(`create role canary login superuser password '${password}'`)
    await database.query('create database shop')
    await database.query('create table orders as select generate_series(1, 1000) as id', 'shop')

    const account = { email: 'ada@example.com', password: secret('password of the first account') }
    const data = join(folder.path, 'data')
    const appKey = randomBytes(32).toString('base64')
    canaries['app key'] = appKey
    await using app = await startApp(data, {
      env: {
        APP_KEY: `base64:${appKey}`,
        BACKUP_ENCRYPTION_KEY: secret('instance key'),
        SMTP_URL: `smtp://user:${secret('mail password')}@127.0.0.1:1`,
        MAIL_FROM: 'holdfast@example.com',
        HOLDFAST_ADMIN_EMAIL: account.email,
        HOLDFAST_ADMIN_PASSWORD: account.password,
        HOLDFAST_TOOL_PATH: database.programs,
        LOG_LEVEL: 'trace',
        LOG_FORMAT: 'json',
      },
    })
    assert.ok(app.isUp, app.said())
    const token = (await readTokenFile(data)) ?? assert.fail('the command line has no token')
    canaries['token of the command line'] = token
    const api = client(app.url, token)
    await using watch = watchProcesses(app.pid ?? 0, canaries)
    const add = async (path: string, body: object) =>
      (await api.get<{ id: string }>('POST', `/api/v1/${path}`, body)).id

    // Everything that has a secret.
    const { host, port } = database
    const server = await add('servers', {
      name: 'prod',
      engine: 'postgresql',
      connection: { host, port, user: 'canary', password },
    })
    const place = join(folder.path, 'volume')
    const volume = await add('volumes', { name: 'folder', kind: 'local', settings: { path: place } })
    const s3 = (what: string) => ({
      kind: 's3',
      settings: {
        bucket: 'backups',
        endpoint: 'http://127.0.0.1:1',
        accessKeyId: 'x',
        secretAccessKey: secret(what),
      },
    })
    const bucket = await add('volumes', { name: 'bucket', ...s3('secret access key') })
    await add('app-backup-registrations', { name: 'away', schedules: [], ...s3('app backup’s access key') })
    const key = await add('keys', { name: 'key', kind: 'password', password: secret('encryption password') })
    const channel = await add('channels', {
      name: 'hook',
      kind: 'webhook',
      settings: {
        url: receiver.origin,
        secret: secret('channel’s secret'),
      },
    })
    await add('channels', {
      name: 'chat',
      kind: 'telegram',
      settings: { botToken: `123456789:${secret('bot token')}_abcdefghij`, chatId: '1' },
    })
    const plan = await add('plans', {
      serverId: server,
      name: 'nightly',
      volumes: [{ id: volume }, { id: bucket }],
      databases: { mode: 'selected', names: ['shop'] },
      encryption: { method: '7z', keyId: key },
      tries: 1,
    })
    await add('hooks', {
      name: 'call',
      planId: plan,
      around: 'backup',
      moment: 'after',
      kind: 'http',
      settings: { url: receiver.origin, secret: secret('hook’s secret') },
    })
    await api.ask('POST', '/api/v1/identity-providers', {
      name: 'Company',
      kind: 'oidc',
      settings: {
        discoveryUrl: 'http://127.0.0.1:1/.well-known/openid-configuration',
        clientId: 'holdfast',
        clientSecret: secret('client secret'),
      },
    })
    const made = await api.get<{ token: string }>('POST', '/api/v1/tokens', { name: 'ci' })
    canaries['token of a program'] = made.token

    // People: a session, an invitation, wrong passwords, a reset.
    const browse = async (method: string, path: string, body: object, cookie = '') =>
      await fetch(`${app.url}/api/v1/${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          'sec-fetch-site': 'same-origin',
          origin: app.url,
          cookie,
        },
        body: JSON.stringify(body),
      })
    const signedIn = await browse('POST', 'sign-in', account)
    assert.equal(signedIn.status, 200, await signedIn.clone().text())
    const cookies = signedIn.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
    const cookie = cookies.join('; ')
    for (const [n, one] of cookies.entries()) {
      // The app's database has what stands before its signature: without the sealed key nobody makes a cookie of it.
      const value = decodeURIComponent(one.split('=').slice(1).join('='))
      canaries[`cookie ${n}`] = value
    }
    for (let n = 0; n < 3; n++) {
      await browse('POST', 'sign-in', { email: account.email, password: secret(`wrong password ${n}`) })
    }
    await browse('POST', 'password-reset', { email: account.email })
    const totp = await browse('POST', 'me/totp', { password: account.password }, cookie)
    if (totp.ok) {
      const { secret: seed, recoveryCodes } = (await totp.json()) as {
        secret: string
        recoveryCodes: string[]
      }
      canaries['seed of the second factor'] = seed
      for (const [n, code] of recoveryCodes.entries()) canaries[`recovery code ${n}`] = code
    }
    const roles = await api.all<{ id: string; name: string }>('/api/v1/roles')
    const invited = await browse(
      'POST',
      'invitations',
      { email: 'grace@example.com', roleId: roles.find(({ name }) => name === 'Viewer')?.id },
      cookie,
    )
    assert.equal(invited.status, 201, await invited.clone().text())
    const { link } = (await invited.json()) as { link: string }
    canaries['link of an invitation'] = /#token=(.+)$/.exec(link)?.[1] ?? link

    // What uses them, and fails with them.
    const { jobId } = await api.get<{ jobId: string }>('POST', `/api/v1/plans/${plan}/run`, {})
    await api.jobOver(jobId)
    for (const job of await api.all<{ id: string }>(`/api/v1/jobs?parent=${jobId}`)) await api.jobOver(job.id)
    const [snapshot] = await api.all<{ id: string }>('/api/v1/snapshots')
    assert.ok(snapshot, app.said())
    const restore = { snapshotId: snapshot.id, serverId: server, database: 'restored' }
    const restored = await api.get<{ jobId: string }>('POST', '/api/v1/restores', restore)
    assert.equal((await api.jobOver(restored.jobId)).state, 'succeeded')
    const verified = await api.get<{ jobId: string }>('POST', `/api/v1/snapshots/${snapshot.id}/verify`, {})
    await api.jobOver(verified.jobId)
    for (const path of [`servers/${server}`, `volumes/${bucket}`, `channels/${channel}`]) {
      await api.ask('POST', `/api/v1/${path}/test`, {})
    }
    const wrong = secret('wrong database password')
    await api.get('PATCH', `/api/v1/servers/${server}`, {
      connection: { host, port, user: 'canary', password: wrong },
    })
    await api.ask('POST', `/api/v1/servers/${server}/test`, {})
    await api.ask('GET', `/api/v1/servers/${server}/databases`)
    const failed = await api.get<{ jobId: string }>('POST', `/api/v1/plans/${plan}/run`, {})
    await api.jobOver(failed.jobId)
    // Things that are wrong, with secrets in them.
    await api.ask('POST', '/api/v1/servers', {
      name: 'x',
      engine: 'postgresql',
      connection: { passwort: secret('misspelt') },
    })
    await api.ask('GET', `/api/v1/servers?cursor=${secret('nonsense in an address')}`)
    await api.ask('GET', `/api/v1/none-${secret('unknown address')}`)
    await fetch(`${app.url}/api/v1/servers`, {
      headers: { authorization: `Bearer hf_${secret('bad token')}` },
    })
    assert.ok(watch.programs().has('pg_dump'), [...watch.programs()].join())

    const seen: Seen[] = [...watch.seen, ...(await everyAnswer(api))]
    await app.stop()
    seen.push({ where: 'what the app says', text: app.said() })
    for (const root of [place, data]) {
      for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        if (!entry.isFile() || path === join(data, 'cli.token')) continue
        seen.push({ where: path, text: entry.name + (await readFile(path, 'latin1')) })
      }
    }
    const found = seen.flatMap(({ where, text }) =>
      Object.entries(canaries)
        .filter(([what, value]) => {
          // An error quotes the address that was asked for to who has asked; nobody else sees it.
          assert.ok(value.length >= 8, `the ${what} is no canary`)
          return text.includes(value)
        })
        .map(([what, value]) => `the ${what} is in ${where}: ${excerpt(text, value)}`),
    )
    assert.deepEqual(found, [])
    assert.ok(seen.length > 100, `${seen.length} places were looked at`)
    assert.ok(Object.keys(canaries).length > 30)
  })
})

function excerpt(text: string, canary: string): string {
  const at = text.indexOf(canary)
  return text.slice(Math.max(0, at - 100), at + canary.length + 30)
}
