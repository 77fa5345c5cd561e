import type { ApiClient } from '../http/client.ts';
import type { ApiKey, Usage } from '../http/contract.ts';
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
}

/** What the usage tab asks the api: the key, its usage in the range, and on demand the same some days before. */
export function useUsage({ api, keyId, view, span, now }: UsageOf): UsageAnswers {
  const path = `/v1/keys/${encodeURIComponent(keyId)}`;
  const key = useResource(`${path} ${now}`, (signal) => api.get<ApiKey>(path, {}, signal));
  const query = {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    bucket: view.bucket,
    timezone: view.zone,
    ...view.filter,
  };
  const usage = useResource(`${path} ${JSON.stringify(query)}`, (signal) =>
    api.get<Usage>(`${path}/usage`, query, signal),
  );
  const comparison = useComparison({ api, path, usage: view.compare ? usage.data : null, filter: view.filter });
  return { key, usage, comparison };
}
