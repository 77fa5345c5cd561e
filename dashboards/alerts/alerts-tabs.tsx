import { SubPages } from '../console/sub-pages.tsx';

const PAGES = [
  { href: '/alerts', name: 'Inbox' },
  { href: '/alert-rules', name: 'Rules' },
  { href: '/channels', name: 'Channels' },
  { href: '/silences', name: 'Silences' },
  { href: '/deliveries', name: 'Deliveries' },
];

export function AlertsTabs({ current }: { current: string }) {
  return <SubPages label="Alerts" pages={PAGES} current={current} />;
}
