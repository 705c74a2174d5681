import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { AppError } from '../shared/errors.ts'

/*
 * Whoever may enter a URL could have us ask what only this machine can reach. Private and loopback addresses are
 * allowed all the same, on purpose: people run Gotify, ntfy or their own receiver in the LAN or beside Holdfast.
 * What is refused never is such a receiver: the addresses that clouds give credentials out at, and those that mean no
 * single host.
 */

const v4 = refused('ipv4', [
  ['0.0.0.0/8', 'stands for no host'],
  ['169.254.0.0/16', 'is link-local; clouds give out credentials there'],
  ['100.100.100.200/32', 'gives out credentials in a cloud'],
  ['168.63.129.16/32', 'gives out credentials in a cloud'],
  ['192.0.0.192/32', 'gives out credentials in a cloud'],
  ['224.0.0.0/4', 'is a multicast address'],
  ['255.255.255.255/32', 'is the broadcast address'],
])

const v6 = refused('ipv6', [
  ['::/128', 'stands for no host'],
  ['fe80::/10', 'is link-local'],
  // Of AWS: at ::254 for the machine, at ::23 for a pod.
  ['fd00:ec2::/32', 'is of a cloud’s own services, which give out credentials'],
  ['fd20:ce::254/128', 'gives out credentials in a cloud'],
  ['fd00:42::42/128', 'gives out credentials in a cloud'],
  ['ff00::/8', 'is a multicast address'],
])

/** Why nothing is sent to this IP address, in words that follow it in a sentence; undefined: it may be sent to. */
export function whyRefused(address: string): string | undefined {
  if (isIP(address) === 4) return v4(address)
  const groups = groupsOf(address)
  return v6(groups.map((group) => group.toString(16)).join(':')) ?? first(embedded(groups).map(v4))
}

/**
 * The URL, if something may be sent there. Throws `invalid_input` unless it is http or https and without a user and
 * password, and `address_refused` if its host is an address that is refused; a name is judged when it is looked up.
 * The sentences show no more of the URL than its host.
 */
export function checkedUrl(text: string | URL): URL {
  const url = URL.parse(String(text))
  if (!url) throw new AppError('invalid_input', 'The address is not a URL.')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError(
      'invalid_input',
      `The address must begin with http:// or https://, not ${url.protocol}`,
    )
  }
  if (url.username || url.password) {
    throw new AppError('invalid_input', `The address at ${url.host} must not contain a user or a password.`)
  }
  const address = url.hostname.replace(/^\[|\]$/g, '')
  const reason = isIP(address) ? whyRefused(address) : undefined
  if (reason !== undefined) throw refusal(address, reason)
  return url
}

/**
 * Looks names up as node:net wants it, and leaves out the addresses that are refused. What was judged is what is
 * connected to, so that no name can mean something else a moment later. Names only: an address in a URL is never
 * looked up, see `checkedUrl`.
 */
export function guardedLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, result) => {
      if (error) return callback(error, [])
      const found = result as LookupAddress[]
      const allowed = found.filter(({ address }) => whyRefused(address) === undefined)
      const [chosen] = allowed
      if (!chosen) {
        const address = found[0]?.address
        const reason = address === undefined ? undefined : whyRefused(address)
        callback(
          reason === undefined
            ? Object.assign(new Error('no address'), { code: 'ENOTFOUND' })
            : refusal(`${hostname}, which is ${address},`, reason),
          [],
        )
      } else if (options.all === true) callback(null, allowed)
      else callback(null, chosen.address, chosen.family)
    })
  }
}

function refusal(what: string, reason: string): AppError {
  return new AppError('address_refused', `Nothing is sent to ${what}: this address ${reason}.`, {
    hint: 'Give the address of the receiver itself. Private and loopback addresses are allowed.',
    isFinal: true,
  })
}

function refused(family: 'ipv4' | 'ipv6', ranges: [range: string, reason: string][]) {
  const lists = ranges.map(([range, reason]) => {
    const [address = '', bits] = range.split('/')
    const list = new BlockList()
    list.addSubnet(address, Number(bits), family)
    return { list, reason }
  })
  return (address: string) => lists.find(({ list }) => list.check(address, family))?.reason
}

/** The eight groups of an IPv6 address, however it is spelled. */
function groupsOf(address: string): number[] {
  const withoutZone = address.replace(/%.*$/, '')
  const spelled = new URL(`http://[${withoutZone}]/`).hostname.slice(1, -1)
  const [head = '', tail] = spelled.split('::')
  const parts = (text: string) => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)))
  if (tail === undefined) return parts(head)
  const [before, after] = [parts(head), parts(tail)]
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/** The IPv4 addresses that an IPv6 address may lead to. */
function embedded(groups: number[]): string[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups
  const dotted = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const last = dotted(g, h)
  const startsWithZeros = (a | b | c | d) === 0
  const found: string[] = []
  // Mapped, and compatible ones; but ::1 is the loopback address.
  if (startsWithZeros && e === 0 && (f === 0xffff || (f === 0 && (g > 0 || h > 1)))) found.push(last)
  if (startsWithZeros && e === 0xffff && f === 0) found.push(last) // translated (SIIT)
  if (a === 0x64 && b === 0xff9b) found.push(last) // NAT64
  if (a === 0x64 && b === 0xff9b && c === 1) found.push(dotted(d, ((e & 255) << 8) | (f >> 8))) // with a prefix of 48
  if (a === 0x2002) found.push(dotted(b, c)) // 6to4
  if (a === 0x2001 && b === 0) found.push(dotted(c, d), dotted(g ^ 0xffff, h ^ 0xffff)) // Teredo
  if ((e === 0 || e === 0x200) && f === 0x5efe) found.push(last) // ISATAP
  return found
}

function first<T>(values: (T | undefined)[]): T | undefined {
  return values.find((value) => value !== undefined)
}
