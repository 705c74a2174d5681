/** `partial`: a backup of which some copies could not be stored; those that are there are good. */
export const jobStates = ['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]
