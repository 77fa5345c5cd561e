import { useCallback, useMemo, useRef } from 'preact/hooks';
import { go } from '../address/location.ts';
import { useTitle } from '../address/use-title.ts';
import type { ApiClient } from '../http/client.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import { type Pages, usePages } from '../http/use-pages.ts';
import { usePolling } from '../http/use-polling.ts';
import { MorePages } from '../panels/more-pages.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { useSearchKey } from '../range-bar/use-search-key.ts';
import { FirstRequest } from './first-request.tsx';
import { isNarrowed, type KeyListQuery, keyListFields, readKeyListQuery, writeKeyListQuery } from './key-list-query.ts';
import { KeysFilters } from './keys-filters.tsx';
import { KeysSkeleton, KeysTable } from './keys-table.tsx';

interface KeysPageProps {
  api: ApiClient;
  search: string;
}

const PAGE_SIZE = 100;
/** The most the api gives at once. */
const LATER_SIZE = 500;
const FIRST_REQUEST_POLL_MS = 3_000;

export function KeysPage({ api, search }: KeysPageProps) {
  const query = useMemo(() => readKeyListQuery(new URLSearchParams(search)), [search]);
  const pages = usePages<ApiKey>(api, '/v1/keys', { ...keyListFields(query), include: 'series' }, PAGE_SIZE, {
    laterSize: LATER_SIZE,
  });
  const searchField = useRef<HTMLInputElement>(null);
  const setQuery = useCallback((next: KeyListQuery) => {
    const text = writeKeyListQuery(next);
    // Filters are not steps of a journey: "back" leaves the list instead of undoing letters.
    go(text ? `/keys?${text}` : '/keys', 'replace');
  }, []);

  useSearchKey(searchField);
  useTitle('Keys');

  const { first, items: keys } = pages;
  const latest = useRef(pages);
  latest.current = pages;
  const onNearEnd = useCallback(() => {
    const { more, loadingMore, moreProblem, loadMore } = latest.current;
    if (more && !loadingMore && !moreProblem) loadMore();
  }, []);
  const empty = first.data !== null && keys.length === 0;
  const untouched = empty && !isNarrowed(query);
  usePolling(first, FIRST_REQUEST_POLL_MS, untouched);

  return (
    <main class="page">
      <div class="page-title">
        <h1>Keys</h1>
        <p class="dim" role="status">
          {first.loading && first.data && !untouched ? 'Updating…' : ''}
        </p>
      </div>
      {!untouched && <KeysFilters query={query} searchField={searchField} onQuery={setQuery} />}
      {first.problem && <ProblemPanel what="The keys" problem={first.problem} onRetry={first.retry} />}
      {untouched && <FirstRequest />}
      {empty && !untouched && <NoMatch onClear={() => setQuery(readKeyListQuery(new URLSearchParams()))} />}
      {!empty && (first.data || !first.problem) && <KeyList {...{ pages, query, onNearEnd }} onQuery={setQuery} />}
      <MorePages pages={pages} what="more keys" />
    </main>
  );
}

interface KeyListProps {
  pages: Pages<ApiKey>;
  query: KeyListQuery;
  onQuery: (query: KeyListQuery) => void;
  onNearEnd: () => void;
}

function KeyList({ pages, query, onQuery, onNearEnd }: KeyListProps) {
  const { first } = pages;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
    <section class="panel table-panel" tabIndex={0} aria-label="Keys" aria-busy={first.loading}>
      {first.data ? (
        <KeysTable
          keys={pages.items}
          sort={query.sort}
          now={pages.answeredAt!}
          onSort={(sort) => onQuery({ ...query, sort })}
          onOrganization={(organization) => onQuery({ ...query, organization })}
          onNearEnd={onNearEnd}
        />
      ) : (
        <KeysSkeleton />
      )}
    </section>
  );
}

function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <section class="panel no-match">
      <p>No key matches these filters.</p>
      <button type="button" onClick={onClear}>
        Clear filters
      </button>
    </section>
  );
}
