import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { ApiClient } from '../http/client.ts';
import type { ApiKey } from '../http/contract.ts';
import { browserZone } from '../time/zone.ts';
import { UsageTab } from '../usage-tab/usage-tab.tsx';
import { readView, type UsageView, writeView } from '../usage-tab/view.ts';
import { Link } from './link.tsx';
import { go } from './location.ts';
import { keyPath } from './route.ts';

interface KeyPageProps {
  api: ApiClient;
  keyId: string;
  search: string;
}

/** Ties the usage tab to the address bar. */
export function KeyPage({ api, keyId, search }: KeyPageProps) {
  const view = useMemo(() => readView(new URLSearchParams(search), browserZone()), [search]);
  const path = keyPath(keyId);

  useEffect(() => {
    // Spelled out at once, so that a copied address means the same in another time zone.
    go(`${path}?${writeView(view)}`, 'replace');
  }, [path, view]);
  useEffect(() => {
    document.title = `${keyId.slice(0, 60)} · Keytally`;
  }, [keyId]);

  const onView = useCallback((next: UsageView) => go(`${path}?${writeView(next)}`), [path]);
  const onKey = useCallback((key: ApiKey) => {
    document.title = `${(key.name || key.key_id).slice(0, 60)} · Keytally`;
  }, []);
  return (
    <main class="page">
      <p class="crumb">
        <Link href="/keys">Keys</Link>
      </p>
      <UsageTab key={keyId} api={api} keyId={keyId} view={view} onView={onView} onKey={onKey} />
    </main>
  );
}
