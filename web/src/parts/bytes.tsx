import { useLanguage } from '../i18n/i18n.ts'

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1.4 GiB`, in the language's digits. */
export function bytesText(bytes: number, language: string): string {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)} ${units[unit]}`
}

export function Bytes({ of }: { of: number | null | undefined }) {
  const language = useLanguage()
  return <>{of === null || of === undefined ? '–' : bytesText(of, language)}</>
}

/** A number with the language's separators. */
export function numberText(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value)
}
