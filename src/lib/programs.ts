import type { ToolNeed } from './tools.ts'

/** Programs that some codecs can use; nothing depends on them unless it is asked for. */
export const zstdProgram: ToolNeed = {
  name: 'zstd',
  versionPattern: /v(\d+\.\d+\.\d+)/,
  install: { debian: 'zstd', alpine: 'zstd', macos: 'zstd' },
}

/** 7-Zip under its names: `7zz` from 21 on, `7z` of p7zip and newer packages. */
export const sevenzipPrograms: readonly ToolNeed[] = ['7zz', '7z'].map((name) => ({
  name,
  versionArgs: ['i'],
  versionPattern: /7-Zip[^\d]*(?:\(z\) |\[64\] |\(a\) )?(\d+\.\d+)/,
  install: { debian: '7zip', alpine: '7zip', macos: 'sevenzip' },
}))
