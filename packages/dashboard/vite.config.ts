import { defineConfig } from 'vite';

/**
 * The page in `dist/site`: an entry, a stylesheet and what is loaded later, all by hashed names.
 */
export default defineConfig({
  resolve: { conditions: ['source'] },
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2023',
    // A strict Content-Security-Policy allows no inlined scripts, and data: for images only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  logLevel: 'warn',
});
