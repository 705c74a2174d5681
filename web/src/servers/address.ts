import type { Server } from '../../../src/shared/servers.ts'

/** Where a server is, as far as its settings say: `db.example.com:5432`, a socket, or a file. */
export function addressOf({ connection }: Pick<Server, 'connection'>): string {
  const { host, port, socket, path } = connection
  if (typeof socket === 'string') return socket
  if (typeof path === 'string') return path
  if (typeof host !== 'string') return ''
  return typeof port === 'number' ? `${host}:${port}` : host
}
