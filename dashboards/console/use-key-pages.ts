import { useEffect, useState } from 'preact/hooks';
import type { ApiClient } from '../http/client.ts';
import type { ApiKey, Page } from '../http/contract.ts';
import { type ProblemError, problemOf } from '../http/problem.ts';
import { type Resource, useResource } from '../http/use-resource.ts';

const PAGE_SIZE = 50;

export interface KeyPages {
  first: Resource<Page<ApiKey>>;
  keys: ApiKey[];
  more: boolean;
  loadingMore: boolean;
  moreProblem: ProblemError | null;
  loadMore: () => void;
}

/** The first page follows the query; the later ones are appended on demand and forgotten when the query changes. */
export function useKeyPages(api: ApiClient, fields: Record<string, string>): KeyPages {
  const name = JSON.stringify(fields);
  const load = (cursor: string | null, signal?: AbortSignal) =>
    api.get<Page<ApiKey>>('/v1/keys', { ...fields, limit: PAGE_SIZE, cursor }, signal);
  const first = useResource(name, (signal) => load(null, signal));
  const [later, setLater] = useState<Page<ApiKey>[]>([]);
  const [loadingMore, setLoadingMore] = useState(false);
  const [moreProblem, setMoreProblem] = useState<ProblemError | null>(null);

  // a new first page makes the later ones stale
  useEffect(() => {
    setLater([]);
    setMoreProblem(null);
  }, [first.data]);

  const cursor = (later.at(-1) ?? first.data)?.next_cursor ?? null;
  const loadMore = () => {
    const origin = first.data;
    setLoadingMore(true);
    load(cursor)
      .then(
        (page) => {
          if (origin === first.data) setLater((pages) => [...pages, page]);
        },
        (error: unknown) => setMoreProblem(problemOf(error)),
      )
      .finally(() => setLoadingMore(false));
  };
  const keys = [first.data, ...later].flatMap((page) => page?.data ?? []);
  return { first, keys, more: cursor !== null, loadingMore, moreProblem, loadMore };
}
