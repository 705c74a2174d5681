import { tryAFew } from './chaos.ts'

tryAFew('fuzz')
