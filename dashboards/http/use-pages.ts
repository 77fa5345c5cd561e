import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ApiClient } from './client.ts';
import type { Page } from './contract.ts';
import { type ProblemError, problemOf } from './problem.ts';
import { type Resource, useResource } from './use-resource.ts';

export interface Pages<Item> {
  first: Resource<Page<Item>>;
  items: Item[];
  /** When the newest of the pages came, by the viewer's clock. */
  answeredAt: number | null;
  more: boolean;
  loadingMore: boolean;
  moreProblem: ProblemError | null;
  loadMore: () => void;
}

/** The first page follows the query; the later ones are appended on demand and forgotten when the query changes. */
export function usePages<Item>(
  api: ApiClient,
  path: string,
  fields: Record<string, string | undefined>,
  size: number,
  /** Rows of every page but the first: who scrolls on wants many, and each page costs the same search. */
  laterSize = size,
): Pages<Item> {
  const name = JSON.stringify(fields);
  const load = (cursor: string | null, signal?: AbortSignal) =>
    api.get<Page<Item>>(path, { ...fields, limit: cursor === null ? size : laterSize, cursor }, signal);
  const first = useResource(name, (signal) => load(null, signal));
  const [later, setLater] = useState<Page<Item>[]>([]);
  const [laterAt, setLaterAt] = useState(0);
  const [loadingMore, setLoadingMore] = useState(false);
  const [moreProblem, setMoreProblem] = useState<ProblemError | null>(null);

  const shown = useRef(first.data);
  shown.current = first.data;
  // a new first page makes the later ones stale
  useEffect(() => {
    setLater([]);
    setMoreProblem(null);
  }, [first.data]);

  const cursor = (later.at(-1) ?? first.data)?.next_cursor ?? null;
  const loadMore = () => {
    const origin = first.data;
    setLoadingMore(true);
    setMoreProblem(null);
    load(cursor)
      .then(
        (page) => {
          // Asked for under filters that were changed meanwhile: its rows belong to another list.
          if (origin !== shown.current) return;
          setLater((pages) => [...pages, page]);
          setLaterAt(Date.now());
        },
        (error: unknown) => setMoreProblem(problemOf(error)),
      )
      .finally(() => setLoadingMore(false));
  };
  // Kept while no page came: with a hundred of them, joining them is work.
  const items = useMemo(() => [first.data, ...later].flatMap((page) => page?.data ?? []), [first.data, later]);
  const answeredAt = first.answeredAt && Math.max(first.answeredAt, laterAt);
  return { first, items, answeredAt, more: cursor !== null, loadingMore, moreProblem, loadMore };
}
