import type { NeedName } from './needs-list.ts'

/**
 * What CI may be without, and why. A test whose need is missing and not listed here fails in CI. On any other
 * machine it is skipped.
 */
export const maySkip: Partial<Record<NeedName | 'root', string>> = {
  postgres18: 'It comes from Debian forky, which is not released: its packages change from day to day.',
  postgres17: 'It is fetched only as a stand-in when PostgreSQL 18 cannot be had.',
  mysql9: 'It comes from Debian sid, the only suite that has it, whose packages change from day to day.',
}
