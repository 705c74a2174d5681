import { tryAFew } from './chaos.ts'

tryAFew('app')
