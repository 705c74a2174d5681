/** What a copy of a database is called beside it: `shop_restored`, `/data/shop-restored.db`. */
export function besideName(database: string): string {
  if (!database.startsWith('/')) return `${database}_restored`
  const slash = database.lastIndexOf('/')
  const file = database.slice(slash + 1)
  const dot = file.lastIndexOf('.')
  const [name, ending] = dot > 0 ? [file.slice(0, dot), file.slice(dot)] : [file, '']
  return `${database.slice(0, slash + 1)}${name}-restored${ending}`
}
