import { useAddressView } from '../address/use-address-view.ts';
import type { ApiClient } from '../http/client.ts';
import { OverviewPage } from '../overview/overview-page.tsx';
import { readOverviewView, writeOverviewView } from '../overview/overview-view.ts';
import { RequestsPage } from '../requests/requests-page.tsx';
import { readRequestsView, writeRequestsView } from '../requests/requests-view.ts';

interface RouteProps {
  api: ApiClient;
  search: string;
}

/** Pages whose whole state is one view in the address. */
export function OverviewRoute({ api, search }: RouteProps) {
  const [view, onView] = useAddressView('/', search, readOverviewView, writeOverviewView);
  return <OverviewPage api={api} view={view} onView={onView} />;
}

export function RequestsRoute({ api, search }: RouteProps) {
  const [view, onView] = useAddressView('/requests', search, readRequestsView, writeRequestsView);
  return <RequestsPage api={api} view={view} onView={onView} />;
}
