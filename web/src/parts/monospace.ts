/** For inputs of names that programs read; their labels stay as they are. */
export const monospace = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } } as const
