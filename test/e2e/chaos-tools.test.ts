import { tryAFew } from './chaos.ts'

tryAFew('tools', 'interrupt', 'matrix')
