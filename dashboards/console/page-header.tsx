import { useEffect, useRef } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import type { Route } from '../address/route.ts';
import type { ApiClient } from '../http/client.ts';
import type { Session } from '../http/contract/access.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { refusalOf } from './page-reach.ts';
import type { Rights } from './rights.ts';
import { SignOut } from './sign-out.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

interface PageHeaderProps {
  api: ApiClient;
  page: Route['page'];
  session: Session | null;
  rights: Rights;
  onHelp: () => void;
}

interface Section {
  href: string;
  name: string;
  /** The one it opens stands first. */
  pages: readonly [Route['page'], ...Route['page'][]];
}

const SECTIONS: readonly Section[] = [
  { href: '/', name: 'Overview', pages: ['overview'] },
  { href: '/keys', name: 'Keys', pages: ['keys', 'key'] },
  { href: '/requests', name: 'Requests', pages: ['requests'] },
  {
    href: '/alerts',
    name: 'Alerts',
    pages: ['alerts', 'alert', 'alert-rules', 'alert-rule', 'channels', 'channel', 'silences', 'deliveries'],
  },
  { href: '/policies', name: 'Policies', pages: ['policies', 'policy'] },
  { href: '/connect', name: 'Connect', pages: ['connect'] },
  { href: '/audit', name: 'Audit', pages: ['audit'] },
  { href: '/tokens', name: 'Tokens', pages: ['tokens'] },
  { href: '/system', name: 'System', pages: ['system', 'jobs'] },
];

export function PageHeader({ api, page, session, rights, onHelp }: PageHeaderProps) {
  const nav = useRef<HTMLElement>(null);
  // On a phone the row of pages scrolls, and the one that is open may lie beyond its edge.
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (current && nav.current) nav.current.scrollLeft = current.offsetLeft - nav.current.clientWidth / 2;
  }, [page, rights]);
  return (
    <header class="top">
      <Link href="/" class="brand">
        <BrandMark />
        Keytally
      </Link>
      <nav ref={nav} aria-label="Main">
        {SECTIONS.filter(({ pages }) => refusalOf(pages[0], rights) === '').map(({ href, name, pages }) => (
          <Link key={href} href={href} current={pages.includes(page)}>
            {name}
          </Link>
        ))}
      </nav>
      <div class="top-right">
        {session && <HostileText value={session.name || session.organization_id} class="who dim" empty="" />}
        <button
          type="button"
          class="quiet"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={onHelp}
        >
          ?
        </button>
        <ThemeSwitch />
        <SignOut api={api} />
      </div>
    </header>
  );
}

/** That of favicon.svg, without asking for the file. */
function BrandMark() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#4556c9" />
      <path
        stroke="#fff"
        stroke-width="2.6"
        stroke-linecap="round"
        d="M9 9v14M14 9v14M19 9v14M24 9v14M6.500 20.500 26.500 11.500"
      />
    </svg>
  );
}
