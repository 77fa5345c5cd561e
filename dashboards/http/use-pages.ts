import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ApiClient } from './client.ts';
import type { Page } from './contract/page.ts';
import { laterRows, renewedRows } from './later-rows.ts';
import { type ProblemError, problemOf } from './problem.ts';
import { type Resource, useResource } from './use-resource.ts';

export interface Pages<Item> {
  first: Resource<Page<Item>>;
  items: Item[];
  /** When the newest of the pages came, by the viewer's clock. */
  answeredAt: number | null;
  more: boolean;
  /** Whether more than the first page is there. */
  isLong: boolean;
  loadingMore: boolean;
  moreProblem: ProblemError | null;
  loadMore: () => void;
  /** Puts what an action answered into the rows it is about, until they are asked for again. */
  change: (edit: (row: Item) => Item) => void;
}

interface PagesOptions<Item> {
  /** Rows of every page but the first: who scrolls on wants many, and each page costs the same search. */
  laterSize?: number;
  /** Another one asks for another list, e.g. that of a later moment. */
  version?: number;
  /** For lists whose order never changes: the later pages stay when the first one is asked for again. */
  idOf?: (row: Item) => string;
}

type NamedPage<Item> = Page<Item> & { name: string };

/** The list on the screen, and its pages. */
interface Shown<Item> {
  name?: string;
  pages: Page<Item>[];
}

const rowsOf = ({ pages }: Shown<unknown>): number => pages.reduce((rows, page) => rows + page.data.length, 0);

/** The first page follows the query; the later ones are appended on demand and forgotten when the query changes. */
export function usePages<Item>(
  api: ApiClient,
  path: string,
  fields: Record<string, string | undefined>,
  size: number,
  { laterSize = size, version, idOf }: PagesOptions<Item> = {},
): Pages<Item> {
  const name = JSON.stringify([fields, version]);
  const load = (cursor: string | null, limit: number, signal?: AbortSignal) =>
    api.get<Page<Item>>(path, { ...fields, limit, cursor }, signal);
  const shown = useRef<Shown<Item>>({ pages: [] });
  const firstRows = () => (idOf && shown.current.name === name ? renewedRows(size, rowsOf(shown.current)) : size);
  const first = useResource<NamedPage<Item>>(name, async (signal) => ({
    ...(await load(null, firstRows(), signal)),
    name,
  }));
  const { page, later, setLater, change } = useLoaded(first.data, shown, idOf);
  const cursor = (later.at(-1) ?? page)?.next_cursor ?? null;
  const [laterAt, setLaterAt] = useState(0);
  const more = useMore(`${first.data?.name} ${cursor}`, async (isHere) => {
    const next = await load(cursor, laterSize);
    if (!isHere()) return;
    setLater((pages) => [...pages, next]);
    setLaterAt(Date.now());
  });
  // Kept while no page came: with a hundred of them, joining them is work.
  const items = useMemo(() => [page, ...later].flatMap((each) => each?.data ?? []), [page, later]);
  const answeredAt = first.answeredAt && Math.max(first.answeredAt, laterAt);
  return { first, items, answeredAt, more: cursor !== null, isLong: later.length > 0, ...more, change };
}

/** The pages that are there, as they were answered or were changed since. */
function useLoaded<Item>(
  first: NamedPage<Item> | null,
  shown: { current: Shown<Item> },
  idOf: ((row: Item) => string) | undefined,
) {
  const [later, setLater] = useState<Page<Item>[]>([]);
  const [edited, setEdited] = useState<{ of: Page<Item>; page: NamedPage<Item> } | null>(null);
  const page = first && edited?.of === first ? edited.page : first;
  // Before the paint: the rows of two lists are never seen together.
  useLayoutEffect(() => {
    const { name, pages } = shown.current;
    const rest = first && idOf && name === first.name && laterRows(first, pages, idOf);
    setLater(rest ? [rest] : []);
  }, [first]);
  useLayoutEffect(() => {
    shown.current = { name: page?.name, pages: page ? [page, ...later] : [] };
  }, [page, later]);
  const change = (edit: (row: Item) => Item) => {
    const changed = <Of extends Page<Item>>(of: Of): Of => ({ ...of, data: of.data.map(edit) });
    if (first) setEdited((before) => ({ of: first, page: changed(before?.of === first ? before.page : first) }));
    setLater((pages) => pages.map(changed));
  };
  return { page, later, setLater, change };
}

/** Fetching the next page, once for each place in a list; of another place neither waiting nor a problem is shown. */
function useMore(place: string, fetchPage: (isHere: () => boolean) => Promise<void>) {
  const shown = useRef(place);
  shown.current = place;
  const asked = useRef<string | null>(null);
  const [loading, setLoading] = useState<string | null>(null);
  const [problem, setProblem] = useState<{ at: string; error: ProblemError } | null>(null);
  const loadMore = () => {
    if (asked.current === place) return;
    asked.current = place;
    setLoading(place);
    setProblem(null);
    // Asked for under filters that were changed meanwhile: its rows belong to another list.
    fetchPage(() => shown.current === place)
      .catch((error: unknown) => setProblem({ at: place, error: problemOf(error) }))
      .finally(() => {
        if (asked.current !== place) return;
        asked.current = null;
        setLoading(null);
      });
  };
  return {
    loadingMore: loading === place,
    moreProblem: problem?.at === place ? problem.error : null,
    loadMore,
  };
}
