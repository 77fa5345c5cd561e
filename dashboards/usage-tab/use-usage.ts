import type { ApiClient } from '../http/client.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import type { Page } from '../http/contract/page.ts';
import type { RequestRow, Usage } from '../http/contract/usage.ts';
import { type Resource, useResource } from '../http/use-resource.ts';
import type { Span } from '../time/range.ts';
import { type ComparisonAnswer, useComparison } from './use-comparison.ts';
import type { UsageView } from './view.ts';

interface UsageOf {
  api: ApiClient;
  keyId: string;
  view: UsageView;
  span: Span;
  now: number;
}

export interface UsageAnswers {
  key: Resource<ApiKey>;
  usage: Resource<Usage>;
  comparison: ComparisonAnswer;
  recent: Resource<Page<RequestRow>>;
}

/** Single requests below the figures. */
export const RECENT_REQUESTS = 20;

/** What the usage tab asks the api: the key, its usage in the range, its last requests, on demand the same days before. */
export function useUsage({ api, keyId, view, span, now }: UsageOf): UsageAnswers {
  const path = `/v1/keys/${encodeURIComponent(keyId)}`;
  const key = useResource(`${path} ${now}`, (signal) => api.get<ApiKey>(path, {}, signal));
  const range = { from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString(), ...view.filter };
  const query = { ...range, bucket: view.bucket, timezone: view.zone };
  const usage = useResource(`${path} ${JSON.stringify(query)} ${now}`, (signal) =>
    api.get<Usage>(`${path}/usage`, query, signal),
  );
  const comparison = useComparison({ api, path, usage: view.compare ? usage.data : null, filter: view.filter });
  const recentQuery = { ...range, key_id: keyId, limit: RECENT_REQUESTS };
  const recent = useResource(`${JSON.stringify(recentQuery)} ${now}`, (signal) =>
    api.get<Page<RequestRow>>('/v1/requests', recentQuery, signal),
  );
  return { key, usage, comparison, recent };
}
