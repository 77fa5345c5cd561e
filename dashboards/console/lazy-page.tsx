import type { ComponentType } from 'preact';
import type { Route } from '../address/route.ts';
import { useLazy } from '../http/use-lazy.ts';
import { useArrival } from '../panels/keep-focus.ts';
import type { PageProps } from './page-props.ts';

type Pages = Partial<Record<Route['page'], ComponentType<PageProps>>>;
interface PagesModule {
  PAGES: Pages;
}

const loadPolicies = (): Promise<PagesModule> => import('../policies/pages.ts');
const loadAlerts = (): Promise<PagesModule> => import('../alerts/pages.ts');
const loadSystem = (): Promise<PagesModule> => import('../system/pages.ts');
const loadConnect = (): Promise<PagesModule> => import('../connect/pages.ts');

/** Pages that most visits do not need: each group is fetched when one of it is opened. */
const LOADERS: Partial<Record<Route['page'], () => Promise<PagesModule>>> = {
  policies: loadPolicies,
  policy: loadPolicies,
  alerts: loadAlerts,
  alert: loadAlerts,
  'alert-rules': loadAlerts,
  'alert-rule': loadAlerts,
  channels: loadAlerts,
  channel: loadAlerts,
  silences: loadAlerts,
  deliveries: loadAlerts,
  connect: loadConnect,
  system: loadSystem,
  jobs: loadSystem,
  audit: loadSystem,
  tokens: loadSystem,
};

export function isLazy(page: Route['page']): boolean {
  return LOADERS[page] !== undefined;
}

const nothing = (): Promise<PagesModule> => Promise.resolve({ PAGES: {} });

export function LazyPage({ page, ...props }: PageProps & { page: Route['page'] }) {
  const { module, failed } = useLazy(LOADERS[page] ?? nothing);
  const Page = module?.PAGES[page];
  useArrival(Page ? page : '');
  if (Page) return <Page {...props} />;
  if (failed) return <Outdated />;
  return (
    <main class="page" aria-busy="true">
      <div class="panel skeleton-table" aria-hidden="true">
        <i class="skeleton" />
      </div>
    </main>
  );
}

function Outdated() {
  return (
    <main class="page">
      <div class="panel problem" role="alert">
        <div>
          <strong>This page could not be loaded</strong>, probably because Keytally was updated.
        </div>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    </main>
  );
}
