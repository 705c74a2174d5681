import { InvalidArgumentError } from 'commander'
import { AppError } from '../shared/errors.ts'
import { weekdays } from '../shared/schedules.ts'

/** For options that may be given several times. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('A whole number from 1 is wanted.')
  return value
}

/** `mon` for Monday. What is none is for the app to refuse. */
export function weekdayOf(text: string): string {
  return weekdays.find((day) => text.length > 1 && day.startsWith(text.toLowerCase())) ?? text
}

/** For an option whose value, where a variable in a script is not set, would be empty and mean something else. */
export function word(option: string, longest = Infinity): (value: string) => string {
  return (value) => {
    if (value.trim() === '') {
      throw new AppError('invalid_input', `The value of ${option} is empty.`, {
        hint: `Is a variable not set? Leave ${option} out for its default.`,
      })
    }
    return text(option, longest)(value)
  }
}

/** As `word`, for an option that may be given several times. */
export function words(option: string): (value: string, previous: string[] | undefined) => string[] {
  return (value, previous) => collect(word(option)(value), previous)
}

/** For an option whose value may be anything up to so many characters. */
export function text(option: string, longest: number): (value: string) => string {
  return (value) => {
    if (value.length <= longest) return value
    throw new AppError(
      'invalid_input',
      `The value of ${option} has ${value.length} characters; it may have ${longest}.`,
    )
  }
}
