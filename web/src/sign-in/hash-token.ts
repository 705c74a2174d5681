import { useEffect, useState } from 'react'

/** What a link carries behind its `#`. From then on the address bar does not show it, nor does the history have it. */
export function useHashToken(): string | undefined {
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined)
  useEffect(() => {
    if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search)
  }, [])
  return token
}
