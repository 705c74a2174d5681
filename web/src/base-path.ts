/** The path below which a proxy shows the app: `/holdfast`, or nothing. */
export const basePath =
  document.querySelector<HTMLMetaElement>('meta[name="holdfast-base-path"]')?.content ?? ''
