import guides from 'virtual:gateway-guides';
import { useMemo } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import type { SourceEntry } from '../http/contract/system.ts';
import { usePolling } from '../http/use-polling.ts';
import { useResource } from '../http/use-resource.ts';
import { AsOf } from '../panels/as-of.tsx';
import { CopyButton } from '../panels/copy-button.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { addressed, FORMATS_OF } from './guide-text.ts';
import { SourceStatus } from './source-status.tsx';

const POLL_MS = 2_000;

interface Sources {
  now: string;
  data: SourceEntry[];
}

const OWN = [
  { name: 'http', title: 'Plain HTTP' },
  { name: 'express', title: 'Express' },
] as const;
const ENTRIES = [...OWN, ...guides.map(({ name, title }) => ({ name, title }))];

/** How to send records here, with the answer to "does it arrive?" on the same page. */
export function ConnectPage({ api, search, rights }: PageProps) {
  useTitle('Connect');
  const asked = new URLSearchParams(search).get('gateway') ?? '';
  const entry = ENTRIES.find(({ name }) => name === asked) ?? ENTRIES[0]!;
  const sources = useResource('sources', (signal) => api.get<Sources>('/v1/sources', {}, signal));
  const old = usePolling(sources, POLL_MS);
  const heard = (name: string) => sources.data?.data.filter(({ format }) => FORMATS_OF(name).includes(format)) ?? [];
  return (
    <main class="page">
      <div class="page-title">
        <h1>Connect a gateway</h1>
        {rights.platform && (
          <span class="title-actions">
            <Link href="/tokens?new=1" class="button">
              Make a token
            </Link>
          </span>
        )}
      </div>
      <p class="page-lead">
        Point what you have at Keytally: its own log is accepted as it is. In each snippet, <code>kt_…</code> stands for
        a token with the scope <code>ingest</code>.
      </p>
      {sources.problem && <ProblemPanel what="What arrived" problem={sources.problem} onRetry={sources.retry} />}
      {sources.answeredAt && <AsOf old={old} answeredAt={sources.answeredAt} onRetry={sources.retry} />}
      <div class="connect">
        <nav class="panel connect-list" aria-label="Gateways">
          {ENTRIES.map(({ name, title }) => (
            <Link key={name} href={`/connect?gateway=${name}`} current={name === entry.name}>
              {title}
              {heard(name).length > 0 && <i class="heard" title="Records have arrived" aria-hidden="true" />}
              {heard(name).length > 0 && <span class="sr-only"> (records have arrived)</span>}
            </Link>
          ))}
        </nav>
        <section class="panel guide" aria-label={entry.title}>
          <div class="panel-head">
            <h2>{entry.title}</h2>
          </div>
          <SourceStatus heard={heard(entry.name)} now={sources.data?.now ?? null} />
          <GuideText name={entry.name} />
        </section>
      </div>
    </main>
  );
}

function GuideText({ name }: { name: string }) {
  const html = useMemo(() => {
    const guide = guides.find((one) => one.name === name);
    return guide && addressed(guide.html, location);
  }, [name]);
  if (html !== undefined) {
    // Our own documentation, made into HTML at build time: nothing of it comes from anybody's data.
    return <div class="guide-text" dangerouslySetInnerHTML={{ __html: html }} />;
  }
  const snippet = name === 'express' ? expressSnippet(location.origin) : httpSnippet(location.origin);
  return (
    <div class="guide-text">
      <CopyButton text={snippet} what="the snippet" />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{snippet}</code>
      </pre>
      <p>
        One record, an array, or one record per line; gzip is welcome. <code>202</code> means the records are stored for
        good. All fields stand in the <a href="/docs">API description</a>.
      </p>
    </div>
  );
}

const httpSnippet = (origin: string) => `curl -X POST ${origin}/v1/requests \\
  -H "Authorization: Bearer kt_…" \\
  -H "Content-Type: application/json" \\
  -d '{"key_id": "key_42", "method": "GET", "path": "/v1/users/17",
       "status": 200, "latency_ms": 12.5, "ip": "203.0.113.9"}'`;

const expressSnippet = (origin: string) => `import { keytally } from 'keytally';

app.use(keytally({
  url: '${origin}',
  token: process.env.KEYTALLY_TOKEN,
}));`;
