import { SubPages } from '../console/sub-pages.tsx';

const PAGES = [
  { href: '/system', name: 'Health' },
  { href: '/jobs', name: 'Background jobs' },
];

export function SystemTabs({ current }: { current: string }) {
  return <SubPages label="System" pages={PAGES} current={current} />;
}
