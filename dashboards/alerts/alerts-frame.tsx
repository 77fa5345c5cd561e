import type { ComponentChildren } from 'preact';
import { refusalOf } from '../console/page-reach.ts';
import type { Rights } from '../console/rights.ts';
import { SubPages } from '../console/sub-pages.tsx';

const PAGES = [
  { page: 'alerts', name: 'Inbox' },
  { page: 'alert-rules', name: 'Rules' },
  { page: 'channels', name: 'Channels' },
  { page: 'silences', name: 'Silences' },
  { page: 'deliveries', name: 'Deliveries' },
] as const;

interface AlertsFrameProps {
  current: (typeof PAGES)[number]['page'];
  rights: Rights;
  busy?: boolean;
  /** Beside the name, for those who may. */
  action?: ComponentChildren;
  children: ComponentChildren;
}

/** What the lists around alerts share: one name, one row of tabs. */
export function AlertsFrame({ current, rights, busy = false, action, children }: AlertsFrameProps) {
  const tabs = PAGES.filter(({ page }) => refusalOf(page, rights) === '');
  return (
    <main class="page" aria-busy={busy}>
      <div class="page-title">
        <h1>Alerts</h1>
        {action && <span class="title-actions">{action}</span>}
      </div>
      {tabs.length > 1 && (
        <SubPages
          label="Alerts"
          pages={tabs.map(({ page, name }) => ({ href: `/${page}`, name }))}
          current={`/${current}`}
        />
      )}
      {children}
    </main>
  );
}
