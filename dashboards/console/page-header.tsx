import { Link } from '../address/link.tsx';
import type { Route } from '../address/route.ts';
import type { Session } from '../http/contract.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

interface PageHeaderProps {
  page: Route['page'];
  session: Session | null;
  onHelp: () => void;
  onSignOut: () => void;
}

export function PageHeader({ page, session, onHelp, onSignOut }: PageHeaderProps) {
  return (
    <header class="top">
      <Link href="/" class="brand">
        <img src="/favicon.svg" alt="" width="20" height="20" />
        Keytally
      </Link>
      <nav aria-label="Main">
        <Link href="/" current={page === 'overview'}>
          Overview
        </Link>
        <Link href="/keys" current={page === 'keys' || page === 'key'}>
          Keys
        </Link>
        <Link href="/requests" current={page === 'requests'}>
          Requests
        </Link>
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
        <button type="button" class="quiet" onClick={onSignOut}>
          Sign out
        </button>
      </div>
    </header>
  );
}
