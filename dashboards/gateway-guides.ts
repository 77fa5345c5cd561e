import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked, type MarkedExtension } from 'marked';
import type { Plugin } from 'vite';

const FOLDER = join(import.meta.dirname, '../docs/gateways');
/** In the order in which they are offered. */
const GUIDES = [
  'kong',
  'nginx',
  'envoy',
  'traefik',
  'caddy',
  'apisix',
  'tyk',
  'aws-apigateway',
  'opentelemetry',
  'apache',
  'vector',
  'fluent-bit',
  'cloudevents',
] as const;
const NAME = 'virtual:gateway-guides';

/** Links between guides lead to the other guide on the page; code scrolls, so it must be reachable by keyboard. */
const RENDERING: MarkedExtension = {
  renderer: {
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      const guide = /^([a-z-]+)\.md$/.exec(href)?.[1];
      return `<a href="${guide ? `/connect?gateway=${guide}` : href}">${text}</a>`;
    },
    code({ text }) {
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      return `<pre tabindex="0"><code>${escaped}</code></pre>`;
    },
    heading: () => '',
  },
};

function guideOf(name: string): { name: string; title: string; html: string } {
  const text = readFileSync(join(FOLDER, `${name}.md`), 'utf8');
  const title = /^# (.+)$/m.exec(text)?.[1] ?? name;
  return { name, title, html: new Marked(RENDERING).parse(text, { async: false }) };
}

/** The guides of docs/gateways inside the console: one text for both, turned into HTML when the pages are built. */
export function gatewayGuides(): Plugin {
  return {
    name: 'gateway-guides',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      for (const name of GUIDES) this.addWatchFile(join(FOLDER, `${name}.md`));
      return `export default ${JSON.stringify(GUIDES.map(guideOf))};`;
    },
  };
}
