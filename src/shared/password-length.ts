/** Beside the schemas, for pages that need no more than this. */
export const PASSWORD_MIN = 12
export const PASSWORD_MAX = 256
