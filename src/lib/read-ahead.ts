/**
 * The bytes of the source in pieces of at least `pieceBytes`, but for the last. The source is read on while the reader
 * is busy with a piece, until twice as many bytes wait. What the source throws is thrown as it is. When the reader
 * leaves, the source is closed, and that is waited for: if a read is pending, only an abort of the source's own
 * signal makes it quick.
 */
export async function* readAhead(
  source: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let end: { error?: unknown } | undefined
  let hasLeft = false
  let wakeReader = () => {}
  let wakeSource = () => {}

  const reading = (async () => {
    try {
      for await (const chunk of source) {
        if (hasLeft) return
        waiting.push(chunk)
        waitingBytes += chunk.length
        if (waitingBytes >= pieceBytes) wakeReader()
        if (waitingBytes >= 2 * pieceBytes) await new Promise<void>((resolve) => (wakeSource = resolve))
        if (hasLeft) return
      }
      end = {}
    } catch (error) {
      end = { error }
    }
    wakeReader()
  })()

  try {
    for (;;) {
      if (waitingBytes < pieceBytes && !end) await new Promise<void>((resolve) => (wakeReader = resolve))
      if (end && 'error' in end) throw end.error
      if (waitingBytes === 0) return
      const [first] = waiting
      const piece = first && waiting.length === 1 ? first : Buffer.concat(waiting)
      waiting = []
      waitingBytes = 0
      wakeSource()
      yield piece
    }
  } finally {
    hasLeft = true
    wakeSource()
    await reading
  }
}
