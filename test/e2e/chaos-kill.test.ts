import { tryAFew } from './chaos.ts'

tryAFew('kill', 'queue')
