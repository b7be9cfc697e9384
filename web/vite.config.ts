import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The pages run under a strict Content-Security-Policy (see doc.go): nothing is
// inlined, and no polyfill writes script.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    license: { fileName: 'licenses.txt' }, // of what is bundled; the footer links it
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: { host: '127.0.0.1', strictPort: true },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
