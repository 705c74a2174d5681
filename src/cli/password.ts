import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { AppError } from '../shared/errors.ts'

/** Asks for a new password twice, and shows nothing of it. Throws `invalid_input` where nobody can be asked. */
export async function askForPassword(): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new AppError('invalid_input', 'The password cannot be asked for: standard input is no terminal.', {
      hint: 'Give --password-file <path>, or --password-file - and the password on standard input.',
    })
  }
  const first = await ask('New password: ')
  if ((await ask('Once more: ')) === first) return first
  throw new AppError('invalid_input', 'The two are not the same.')
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 })
  const interrupted = new Promise<never>((_, reject) => {
    terminal.once('SIGINT', () => reject(new AppError('cancelled', 'Nothing was changed.')))
  })
  try {
    return await Promise.race([terminal.question(''), interrupted])
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
