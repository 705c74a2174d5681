import { Link, type LinkProps } from '@tanstack/react-router'
import type { AnchorHTMLAttributes, Ref } from 'react'

type LinkToProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & {
  /** A path of the page, `/servers/…`. */
  to: string
  search?: Record<string, unknown>
  ref?: Ref<HTMLAnchorElement>
}

/** A link within the page, for Mantine's `component`: `<Button component={LinkTo} to="/servers">`. */
export function LinkTo({ to, search, ...rest }: LinkToProps) {
  return <Link {...(rest as LinkProps)} to={to} search={search} />
}
