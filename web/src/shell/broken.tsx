import { Container } from '@mantine/core'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { asAppError } from '../../../src/shared/errors.ts'
import { Failed } from '../parts/failed.tsx'

/** A page that could not be shown at all. */
export function Broken({ error }: ErrorComponentProps) {
  return (
    <Container size="sm" py="xl">
      <Failed error={asAppError(error)} retry={() => location.reload()} />
    </Container>
  )
}
