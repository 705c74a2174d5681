import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import { connectTool, optionFile } from './option-file.ts'
import { connectionSettings } from './settings.ts'
import { extraDumpArguments } from './tool-options.ts'
import { mysqlTools, pickClientTool, type PickedTool } from './tools.ts'

describe('finding the tools', () => {
  it('knows the maker and the version by what they print', () => {
    const versions: Record<string, string> = {
      'mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)': '10.11.19-MariaDB',
      'mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)': '10.11.19-MariaDB',
      'mariadb-dump from 11.8.6-MariaDB, client 10.19 for debian-linux-gnu (x86_64)': '11.8.6-MariaDB',
      'mysqldump  Ver 9.7.4-2 for Linux on x86_64 ((Debian))': '9.7.4',
      'mysqldump  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64 ((Ubuntu))': '8.0.36',
      'mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)': '5.7.44',
      '/usr/bin/mariadb  Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper':
        '10.11.19-MariaDB',
    }
    for (const [printed, version] of Object.entries(versions)) {
      for (const { versionPattern } of mysqlTools)
        assert.equal(versionPattern.exec(printed)?.[1], version, printed)
    }
  })

  const tool = (name: string, version: string) => ({ name, version, path: `/${version}/${name}` })
  const pick = (tools: ReturnType<typeof tool>[], flavour: string, version: string) =>
    pickClientTool(tools, 'dump', { flavour, version })

  it('takes those of the server’s maker, the smallest that are not older', () => {
    const all = [
      tool('mysqldump', '9.7.4'),
      tool('mysqldump', '8.0.36'),
      tool('mysqldump', '10.11.19-MariaDB'),
      tool('mariadb-dump', '11.8.6-MariaDB'),
    ]
    assert.equal(pick(all, 'mysql', '8.4.1').path, '/8.0.36/mysqldump')
    assert.equal(pick(all, 'mysql', '5.7.44').version, '8.0.36')
    assert.equal(pick(all, 'mysql', '9.0.0').version, '9.7.4')
    assert.deepEqual(pick(all, 'mariadb', '10.6.1'), {
      name: 'mariadb-dump',
      path: '/10.11.19-MariaDB/mysqldump',
      version: '10.11.19',
      maker: 'mariadb',
    })
    assert.equal(pick(all, 'mariadb', '11.4.2').version, '11.8.6')
  })

  it('knows that MariaDB 10.6 is older than 10.11, and 8.0 of Oracle’s is fit for 8.4', () => {
    const old = tool('mariadb-dump', '10.6.20-MariaDB')
    const newer = tool('mariadb-dump', '10.11.2-MariaDB')
    assert.equal(pick([old, newer], 'mariadb', '10.11.14').version, '10.11.2')
    assert.equal(pick([old, newer], 'mariadb', '10.6.99').version, '10.6.20')
    assert.equal(pick([newer, tool('mariadb-dump', '11.4.1-MariaDB')], 'mariadb', '11.0.2').version, '11.4.1')
    for (const [tools, server] of [
      [[old], '10.11.14'],
      [[old, newer], '11.4.3'],
      [[tool('mariadb-dump', '11.4.9-MariaDB')], '11.8.6'],
    ] as const) {
      assert.throws(() => pick([...tools], 'mariadb', server), { code: 'tool_missing' }, server)
    }
    assert.equal(pick([tool('mysqldump', '8.0.36')], 'mysql', '8.4.1').version, '8.0.36')
  })

  it('takes MariaDB’s for Oracle’s server, with a warning', () => {
    const picked = pick([tool('mysqldump', '10.11.19-MariaDB')], 'mysql', '9.7.4')
    assert.equal(picked.maker, 'mariadb')
    assert.match(picked.warning ?? '', /MySQL 9\.7\.4 .*mariadb-dump 10\.11\.19.*mysqldump 9 or newer/)
  })

  it('says what is needed and what was found', () => {
    const refused = (tools: ReturnType<typeof tool>[], flavour: string, version: string) => {
      try {
        pick(tools, flavour, version)
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'tool_missing')
        return `${error.message} ${error.hint}`
      }
      return assert.fail('a tool was found')
    }
    assert.match(
      refused([], 'mysql', '8.4.0'),
      /^mysqldump 8 or newer is needed; found none\. Debian: apt install/,
    )
    assert.match(
      refused([tool('mysqldump', '9.7.4'), tool('mariadb-dump', '10.11.19-MariaDB')], 'mariadb', '11.8.6'),
      /^mariadb-dump 11\.8 or newer is needed; found only mysqldump 9\.7\.4 \(.*\), mariadb-dump 10\.11\.19 \(.*\)\. Debian: apt install mariadb-client/,
    )
  })
})

describe('the option file', () => {
  it('quotes what would be read as something else', () => {
    assert.equal(
      optionFile({ password: `a"b'c\\n#;\n\t`, ssl: true }),
      `[client]\npassword="a\\"b'c\\\\n#;\\n\\t"\nssl\n`,
    )
  })

  const settings = connectionSettings.parse({ user: 'u', password: 'canary', tlsCa: 'THE CA' })
  const of = (maker: 'mysql' | 'mariadb', version: string, tls: typeof settings.tls, serverTls = true) => {
    const tool: PickedTool = { path: '/t', name: 't', version, maker }
    const { args, env, files } = connectTool(tool, { ...settings, tls }, serverTls, '/work')
    assert.deepEqual(args, ['--defaults-file=/work/connection.cnf'])
    assert.ok(!JSON.stringify([args, env]).includes('canary'))
    const text = files['/work/connection.cnf'] ?? ''
    return text.split('\n').filter((line) => /ssl|get-server/.test(line))
  }

  it('means by each TLS mode the same with every tool', () => {
    assert.deepEqual(of('mysql', '9.7.4', 'disable'), ['ssl-mode="DISABLED"', 'get-server-public-key'])
    assert.deepEqual(of('mysql', '9.7.4', 'prefer'), ['ssl-mode="PREFERRED"'])
    assert.deepEqual(of('mysql', '9.7.4', 'require'), ['ssl-mode="REQUIRED"'])
    assert.deepEqual(of('mysql', '9.7.4', 'verify-ca'), ['ssl-ca="/work/ca.pem"', 'ssl-mode="VERIFY_CA"'])
    assert.deepEqual(of('mysql', '9.7.4', 'verify-full'), [
      'ssl-ca="/work/ca.pem"',
      'ssl-mode="VERIFY_IDENTITY"',
    ])
    for (const version of ['10.11.19', '11.8.6']) {
      assert.deepEqual(of('mariadb', version, 'disable'), ['skip-ssl'])
      assert.deepEqual(of('mariadb', version, 'prefer'), ['ssl', 'ssl-verify-server-cert="0"'])
      assert.deepEqual(of('mariadb', version, 'prefer', false), ['skip-ssl'])
      assert.deepEqual(of('mariadb', version, 'require', false), ['ssl', 'ssl-verify-server-cert="0"'])
      assert.deepEqual(of('mariadb', version, 'verify-full'), [
        'ssl',
        'ssl-verify-server-cert="1"',
        'ssl-ca="/work/ca.pem"',
      ])
    }
    assert.deepEqual(of('mariadb', '10.11.19', 'verify-ca'), [
      'ssl',
      'ssl-verify-server-cert="0"',
      'ssl-ca="/work/ca.pem"',
    ])
    assert.deepEqual(of('mariadb', '11.8.6', 'verify-ca'), [
      'ssl',
      'ssl-verify-server-cert="1"',
      'ssl-ca="/work/ca.pem"',
    ])
  })
})

describe('extra options for the dump tool', () => {
  it('become one argument each', () => {
    assert.deepEqual(
      extraDumpArguments(`--order-by-primary --net_buffer_length 65536 '--max-allowed-packet=1G'`),
      ['--order-by-primary', '--net-buffer-length=65536', '--max-allowed-packet=1G'],
    )
  })

  it('are refused with the reason', () => {
    const reasons: Record<string, RegExp> = {
      '--result-file=/x': /redirects the dump/,
      '--result_file=/x': /redirects the dump/,
      '-r/x': /redirects the dump/,
      '--tab=/x': /redirects/,
      '--defaults-file=/x': /reads options from other files/,
      '--plugin-dir=/x': /loads programs/,
      '--init-command=x': /runs any statement/,
      '-f': /errors would look like success/,
      '--where=1': /leaves rows out/,
      '--compact': /recognises a complete dump by its comments/,
      '--host=x': /connection comes from/,
      '--order-by': /it is shortened; write --order-by-primary or --order-by-size/,
      '--made-up': /does not know it to be safe/,
      other_database: /it is not an option/,
      '--order-by-primary=1': /./,
      '--net-buffer-length': /its value is missing/,
    }
    for (const [line, reason] of Object.entries(reasons)) {
      assert.throws(
        () => extraDumpArguments(line),
        (error) =>
          error instanceof AppError && error.code === 'tool_option_refused' && reason.test(error.message),
        line,
      )
    }
  })
})
