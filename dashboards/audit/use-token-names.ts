import { useMemo } from 'preact/hooks';
import type { ApiClient } from '../http/client.ts';
import type { TokenEntry } from '../http/contract/access.ts';
import { useResource } from '../http/use-resource.ts';

/** Names of tokens by their ids, for those who may see them; others read the ids. */
export function useTokenNames(api: ApiClient, allowed: boolean): ReadonlyMap<string, string> {
  const tokens = useResource(`token names ${allowed}`, async (signal) =>
    allowed ? await api.get<{ data: TokenEntry[] }>('/v1/tokens', {}, signal) : { data: [] },
  );
  return useMemo(() => new Map(tokens.data?.data.map((token) => [token.id, token.name])), [tokens.data]);
}
