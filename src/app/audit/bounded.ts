import { mendJson, mendText } from '../broken-text.ts'

/** The most bytes that the details of an entry take, as JSON. */
const MOST = 65_536
/** To what long texts and lists are cut: more, if they are too long all the same. The longest text is a script. */
const CUTS = [
  { text: 10_000, items: Infinity },
  { text: 2_000, items: Infinity },
  { text: 500, items: 200 },
  { text: 100, items: 30 },
]

/** Details as both stores can keep them: plain JSON, and bounded. Whatever was cut says so. */
export function boundedDetails(details: Record<string, unknown>): Record<string, unknown> {
  const plain = mendJson(JSON.parse(JSON.stringify(details)) as Record<string, unknown>)
  for (const longest of CUTS) {
    const cut = cutAll(plain, longest) as Record<string, unknown>
    if (bytesOf(cut) <= MOST) return cut
  }
  return { cut: `The details had ${bytesOf(plain)} bytes, and were not kept.` }
}

export function boundedText(text: string, longest: number): string {
  if (text.length <= longest) return mendText(text)
  return `${mendText(text.slice(0, longest))}… (cut, of ${text.length} characters)`
}

function cutAll(value: unknown, longest: (typeof CUTS)[number]): unknown {
  if (typeof value === 'string') return boundedText(value, longest.text)
  if (Array.isArray(value)) {
    const kept: unknown[] = value.slice(0, longest.items).map((item) => cutAll(item, longest))
    return kept.length === value.length ? kept : [...kept, `… (cut, of ${value.length})`]
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, cutAll(field, longest)]))
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
