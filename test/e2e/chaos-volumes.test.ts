import { tryAFew } from './chaos.ts'

tryAFew('volumes', 'secrets')
