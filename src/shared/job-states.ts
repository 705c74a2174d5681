/** `partial`: a backup of which some copies could not be stored; those that are there are good. */
export const jobStates = ['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

/** Whether a job in this state will never change again. */
export function isOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running'
}
