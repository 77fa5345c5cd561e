import type { ComponentChildren } from 'preact';
import { SubPages } from '../console/sub-pages.tsx';

const PAGES = [
  { href: '/alerts', name: 'Inbox' },
  { href: '/alert-rules', name: 'Rules' },
  { href: '/channels', name: 'Channels' },
  { href: '/silences', name: 'Silences' },
  { href: '/deliveries', name: 'Deliveries' },
];

interface AlertsFrameProps {
  current: string;
  busy?: boolean;
  /** Beside the name, for those who may. */
  action?: ComponentChildren;
  children: ComponentChildren;
}

/** What the lists around alerts share: one name, one row of tabs. */
export function AlertsFrame({ current, busy = false, action, children }: AlertsFrameProps) {
  return (
    <main class="page" aria-busy={busy}>
      <div class="page-title">
        <h1>Alerts</h1>
        {action && <span class="title-actions">{action}</span>}
      </div>
      <SubPages label="Alerts" pages={PAGES} current={current} />
      {children}
    </main>
  );
}
