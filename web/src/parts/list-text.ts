/** `a, b, c`; where a language puts nothing between (Chinese), as it lists things with “and”. */
export function listText(items: Iterable<string>, language: string): string {
  const type = language.startsWith('zh') ? 'conjunction' : 'unit'
  return new Intl.ListFormat(language, { type, style: 'short' }).format(items)
}
