import { tryAFew } from './chaos.ts'

tryAFew('volumes', 'fuzz', 'secrets')
