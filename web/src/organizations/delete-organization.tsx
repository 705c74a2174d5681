import type { Organization } from '../../../src/shared/organizations.ts'
import { asking, useChange, useSure } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Losses } from './losses.tsx'
import { useReload } from './reload.ts'

interface DeleteOrganizationProps {
  organization: Organization
  isOpen: boolean
  onClose: () => void
}

export function DeleteOrganization({ organization: { id, name }, isOpen, onClose }: DeleteOrganizationProps) {
  const t = useT()
  const me = useMe()
  const reload = useReload()
  const losses = useSure(asking('GET /api/v1/organizations/{id}/losses', { params: { id } }), isOpen)
  const remove = useChange('DELETE /api/v1/organizations/{id}', {
    onSuccess: async () => {
      onClose()
      if (id === me.organization.id) await reload()
    },
  })
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t('Delete the organization “{{name}}”?', { name })}
      action={t('Delete organization')}
      typed={name}
      isPending={remove.isPending}
      isDisabled={!losses.isSure || losses.data?.obstacles.length !== 0}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { id }, query: { confirmation: name } })}
    >
      <Asked question={losses} lines={5}>
        {(lost) => <Losses lost={lost} />}
      </Asked>
    </Confirm>
  )
}
