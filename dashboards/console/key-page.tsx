import { useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { useAddressView } from '../address/use-address-view.ts';
import { useTitle } from '../address/use-title.ts';
import type { ApiClient } from '../http/client.ts';
import type { ApiKey } from '../http/contract/keys.ts';
import { requestsOfUsage, requestsPath } from '../requests/requests-view.ts';
import { UsageTab } from '../usage-tab/usage-tab.tsx';
import { readView, writeView } from '../usage-tab/view.ts';

interface KeyPageProps {
  api: ApiClient;
  keyId: string;
  search: string;
}

const alertPath = (alertId: string) => `/alerts/${encodeURIComponent(alertId)}`;

/** Ties the usage tab to the address bar. */
export function KeyPage({ api, keyId, search }: KeyPageProps) {
  const [view, onView] = useAddressView(keyPath(keyId), search, readView, writeView);
  const [key, setKey] = useState<ApiKey | null>(null);
  useTitle((key?.key_id === keyId && key.name) || keyId);
  return (
    <main class="page">
      <p class="crumb">
        <Link href="/keys">Keys</Link>
      </p>
      <UsageTab
        key={keyId}
        api={api}
        keyId={keyId}
        view={view}
        onView={onView}
        onKey={setKey}
        alertHref={alertPath}
        allRequests={(shown) => (
          <Link href={requestsPath(requestsOfUsage(keyId, shown))} class="all-requests">
            All requests
          </Link>
        )}
      />
    </main>
  );
}
