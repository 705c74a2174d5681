import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `npm run dev:page` finds the API. */
const app = process.env['HOLDFAST_URL'] ?? 'http://127.0.0.1:7300'

export default defineConfig({
  root: import.meta.dirname,
  // Chunks find each other from where they are, so that the page works below any path; the app puts that path into index.html.
  base: './',
  plugins: [react()],
  build: { target: 'es2023', sourcemap: false, manifest: true, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': app } },
})
