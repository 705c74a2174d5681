/** Reads the bytes of a name; undefined where it is not certain what the server would call it. */
export type NameReader = (bytes: Uint8Array) => string | undefined

/**
 * Encodings of databases that our decoder reads as PostgreSQL does, each with its label. `except` are the bytes, or
 * sequences, for which the two are of different opinions.
 */
const known: Record<string, { label: string; except?: RegExp }> = {
  LATIN2: { label: 'iso-8859-2' },
  LATIN3: { label: 'iso-8859-3' },
  LATIN4: { label: 'iso-8859-4' },
  LATIN5: { label: 'iso-8859-9', except: /[\x80-\x9f]/ },
  LATIN6: { label: 'iso-8859-10' },
  LATIN7: { label: 'iso-8859-13' },
  LATIN8: { label: 'iso-8859-14' },
  LATIN9: { label: 'iso-8859-15' },
  LATIN10: { label: 'iso-8859-16' },
  ISO_8859_5: { label: 'iso-8859-5' },
  ISO_8859_6: { label: 'iso-8859-6' },
  ISO_8859_7: { label: 'iso-8859-7' },
  ISO_8859_8: { label: 'iso-8859-8' },
  WIN866: { label: 'ibm866' },
  WIN874: { label: 'windows-874' },
  WIN1250: { label: 'windows-1250' },
  WIN1251: { label: 'windows-1251' },
  WIN1252: { label: 'windows-1252' },
  WIN1253: { label: 'windows-1253' },
  WIN1254: { label: 'windows-1254' },
  WIN1255: { label: 'windows-1255', except: /\xca/ },
  WIN1256: { label: 'windows-1256' },
  WIN1257: { label: 'windows-1257' },
  WIN1258: { label: 'windows-1258' },
  KOI8R: { label: 'koi8-r' },
  KOI8U: { label: 'koi8-u', except: /[\xae\xbe]/ },
  EUC_JP: { label: 'euc-jp', except: /[\x8f\xf5-\xff]/ },
  EUC_KR: { label: 'euc-kr' },
}

/** What a decoder makes of bytes that mean nothing in their encoding, where PostgreSQL knows no character. */
const NO_CHARACTER = /[\x80-\x9f\ue000-\uf8ff]/

/** In these, which are of clients alone, a byte of another character may look like a backslash. */
const HIDES_BACKSLASHES = new Set(['SJIS', 'SHIFT_JIS_2004', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB'])

/**
 * How to read names in an encoding, by PostgreSQL's word for it. In SQL_ASCII the server knows no encoding at all: what
 * is UTF-8 there also is when we ask for it. Where we do not know better, only ASCII is certain.
 */
export function nameReader(encoding: string): NameReader {
  const readOthers = readerOf(encoding)
  return (bytes) => (bytes.every((byte) => byte < 0x80) ? latin1(bytes) : readOthers(bytes))
}

/** For names that are not all ASCII. */
function readerOf(encoding: string): NameReader {
  if (encoding === 'LATIN1') return latin1
  const isUtf8 = encoding === 'UTF8' || encoding === 'SQL_ASCII'
  const { label, except } = isUtf8 ? { label: 'utf-8' } : (known[encoding] ?? {})
  if (label === undefined) return () => undefined
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true })
  return (bytes) => {
    if (except?.test(latin1(bytes))) return undefined
    const text = decoded(decoder, bytes)
    return text === undefined || (!isUtf8 && NO_CHARACTER.test(text)) ? undefined : text
  }
}

/** False if SQL in this encoding cannot be read byte by byte. */
export function isReadByBytes(encoding: string): boolean {
  return !HIDES_BACKSLASHES.has(encoding)
}

/** For a person to read: with marks where it is not certain. */
export function roughly(bytes: Uint8Array, read: NameReader): string {
  return read(bytes) ?? Buffer.from(bytes).toString()
}

/** The encoding that a dump's `SET client_encoding = '…';` names. */
export function encodingIn(statement: string): string | undefined {
  return /^SET client_encoding = '(\w+)';/.exec(statement)?.[1]
}

export function unreadableNames(tables: number, encoding: string): string {
  const what = tables === 1 ? 'one table whose name' : `${tables} tables whose names`
  return `The rows of ${what} Holdfast cannot read for certain (${encoding}) are in the dump, but are not compared after a restore.`
}

function decoded(decoder: { decode(bytes: Uint8Array): string }, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
