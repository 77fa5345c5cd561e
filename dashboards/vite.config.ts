import { join } from 'node:path';
import { defineConfig } from 'vite';
import { gatewayGuides } from './gateway-guides.ts';

/** Pages of other sites load it by this name, so it has no hash. */
const COMPONENT = 'keytally-usage';

// The api serves this folder as static files under a policy of `default-src 'self'`, so nothing may be inlined.
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [gatewayGuides()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/dashboards',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: {
      // The polyfill would be a second copy of what every supported browser has.
      polyfill: false,
      // Only the console's own page lists what to fetch early: from a script it would put links into a foreign page.
      resolveDependencies: (_file, dependencies, { hostType }) => (hostType === 'html' ? dependencies : []),
    },
    rolldownOptions: {
      input: {
        index: join(import.meta.dirname, 'index.html'),
        [COMPONENT]: join(import.meta.dirname, 'embed/keytally-usage.tsx'),
      },
      output: {
        entryFileNames: ({ name }) => (name === COMPONENT ? '[name].js' : 'assets/[name]-[hash].js'),
        // What console and component share, as one file: as they fell out by themselves they were six small ones, each of
        // which the browser looks up before it draws anything.
        codeSplitting: { groups: [{ name: 'usage-tab', test: /usage-tab\/usage-tab\.tsx$/ }] },
      },
    },
  },
});
