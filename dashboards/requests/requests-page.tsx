import { useCallback, useRef } from 'preact/hooks';
import { useTitle } from '../address/use-title.ts';
import type { ApiClient } from '../http/client.ts';
import type { RequestRow } from '../http/contract/usage.ts';
import { usePages } from '../http/use-pages.ts';
import { AsOf } from '../panels/as-of.tsx';
import { FilterPills } from '../panels/filter-pills.tsx';
import { RangeBar } from '../range-bar/range-bar.tsx';
import { useLive } from '../range-bar/use-live.ts';
import { usePeriod } from '../range-bar/use-period.ts';
import { useSearchKey } from '../range-bar/use-search-key.ts';
import { AddFilter } from './add-filter.tsx';
import { ExportButtons } from './export-buttons.tsx';
import { RequestList } from './request-list.tsx';
import { FILTER_LABELS, REQUEST_FILTERS, type RequestFilter, type RequestsView } from './requests-view.ts';
import { StatusClasses } from './status-classes.tsx';
import { useOpenRow } from './use-open-row.ts';

interface RequestsPageProps {
  api: ApiClient;
  view: RequestsView;
  onView: (view: RequestsView) => void;
}

const PAGE_SIZE = 100;

/** Every single request that is kept, by filters; what it shows is what it exports. */
export function RequestsPage({ api, view, onView }: RequestsPageProps) {
  const { now, span, refresh } = usePeriod(view, onView);
  const query = { ...view.filter, from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() };
  const pages = usePages<RequestRow>(api, '/v1/requests', query, PAGE_SIZE, { version: now });
  const filterField = useRef<HTMLInputElement>(null);
  const { open, setOpen, leave } = useOpenRow(JSON.stringify(query), filterField);
  // New rows would push another request under the open drawer, and take the older ones from whoever reads them.
  const isLive = view.live && open === null && !pages.isLong;
  const old = useLive(isLive, refresh, pages.first, [{ loading: pages.loadingMore }]);
  useSearchKey(filterField);
  useTitle('Requests');
  const setFilter = useCallback((filter: RequestFilter) => onView({ ...view, filter }), [view, onView]);

  return (
    <main class="page requests-page">
      <div class="page-title">
        <h1>Requests</h1>
        <ExportButtons api={api} query={query} disabled={pages.items.length === 0} />
      </div>
      <RangeBar view={view} span={span} updating={pages.first.loading} onView={onView} onRefresh={refresh} />
      {pages.answeredAt && (
        <AsOf old={old} answeredAt={pages.answeredAt} onRetry={refresh} testId="requests-as-of">
          {view.live && pages.isLong && 'Live waits while you read older requests. Refresh goes back to the newest.'}
        </AsOf>
      )}
      <search class="filters" aria-label="Filter requests">
        <StatusClasses status={view.filter.status} onStatus={(status) => setFilter({ ...view.filter, status })} />
        <AddFilter
          field={filterField}
          rows={pages.items}
          onAdd={(name, value) => setFilter({ ...view.filter, [name]: value })}
        />
      </search>
      <FilterPills filter={view.filter} order={REQUEST_FILTERS} labels={FILTER_LABELS} onFilter={setFilter} />
      <RequestList
        pages={pages}
        zone={view.zone}
        open={open}
        onOpen={setOpen}
        onFilter={(name, value) => {
          leave();
          setFilter({ ...view.filter, [name]: value });
        }}
      />
    </main>
  );
}
