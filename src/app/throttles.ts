import { throttle, type Throttle } from '../lib/throttle.ts'
import type { AppContext } from './context.ts'

/** For each store, the throttles of its volumes and plans. */
const throttles = new WeakMap<object, Map<string, { bandwidth: number; pass: Throttle }>>()

/** The one throttle that all jobs of this process share for a volume or a plan. */
export function throttleOf({ store }: AppContext, id: string, bandwidth: number): Throttle {
  const known = throttles.get(store) ?? new Map<string, { bandwidth: number; pass: Throttle }>()
  throttles.set(store, known)
  const found = known.get(id)
  if (found?.bandwidth === bandwidth) return found.pass
  const pass = throttle(bandwidth)
  known.set(id, { bandwidth, pass })
  return pass
}
