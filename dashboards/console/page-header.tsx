import type { Session } from '../http/contract.ts';
import { HostileText } from '../usage-tab/hostile-text.tsx';
import { Link } from './link.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

interface PageHeaderProps {
  session: Session | null;
  onHelp: () => void;
  onSignOut: () => void;
}

export function PageHeader({ session, onHelp, onSignOut }: PageHeaderProps) {
  return (
    <header class="top">
      <Link href="/" class="brand">
        <img src="/favicon.svg" alt="" width="20" height="20" />
        Keytally
      </Link>
      <nav aria-label="Main">
        <Link href="/keys" current>
          Keys
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
