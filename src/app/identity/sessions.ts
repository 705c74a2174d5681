/** Somebody who has signed in with a browser. */
export interface Session {
  id: string
  userId: string
  /** The organization that its requests are about; null: the first of the user's. */
  organizationId: string | null
  userAgent: string | null
}
