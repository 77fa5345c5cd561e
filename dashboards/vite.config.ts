import { defineConfig } from 'vite';

// The api serves this folder as static files under a policy of `default-src 'self'`, so nothing may be inlined.
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/dashboards',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    // The polyfill would be a second copy of what every supported browser has.
    modulePreload: { polyfill: false },
  },
});
