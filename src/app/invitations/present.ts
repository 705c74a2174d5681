import type { CreatedInvitation, Invitation } from '../../shared/invitations.ts'
import type { Invited } from './invitations.ts'
import type { InvitationRow } from './store.ts'

export function presentInvitation(row: InvitationRow): Invitation {
  const { id, email, roleId, roleName, inviterId, inviterName, inviterEmail } = row
  const { acceptedAt, expiresAt, createdAt, isExpired } = row
  return {
    id,
    email,
    role: { id: roleId, name: roleName },
    invitedBy:
      inviterId === null ? null : { id: inviterId, name: inviterName ?? '', email: inviterEmail ?? '' },
    state: acceptedAt !== null ? 'accepted' : isExpired === 1 ? 'expired' : 'open',
    expiresAt: new Date(expiresAt).toISOString(),
    acceptedAt: acceptedAt === null ? null : new Date(acceptedAt).toISOString(),
    createdAt: new Date(createdAt).toISOString(),
  }
}

export function presentInvited({ row, link, mailed, mailError }: Invited): CreatedInvitation {
  return { ...presentInvitation(row), link, mailed, mailError }
}
