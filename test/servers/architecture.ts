const architectures: Partial<Record<NodeJS.Architecture, { triplet: string; loader: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
}

/** What Debian calls this machine's libraries. */
export function architecture(): { triplet: string; loader: string } {
  const found = architectures[process.arch]
  if (!found) throw new Error(`Prefixes can be made for x64 and arm64, not for ${process.arch}.`)
  return found
}
