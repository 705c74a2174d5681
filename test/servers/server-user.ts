import { userInfo } from 'node:os'

const nobody = 65_534
const isRoot = process.getuid?.() === 0

/** Whom servers run as: most of them refuse to be root. */
export const serverUser = isRoot
  ? { drops: true, name: 'nobody', uid: nobody, gid: nobody }
  : { drops: false, name: userInfo().username, uid: userInfo().uid, gid: userInfo().gid }
