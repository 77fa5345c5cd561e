import { useEffect, useMemo, useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { go, here, usePlace } from '../address/location.ts';
import { loginPath, returnPath, routeOf } from '../address/route.ts';
import { createApiClient } from '../http/client.ts';
import { useArrival } from '../panels/keep-focus.ts';
import { plainKey } from '../range-bar/plain-key.ts';
import { BeyondReach } from './beyond-reach.tsx';
import { KeyPage } from './key-page.tsx';
import { KeysPage } from './keys-page.tsx';
import { isLazy, LazyPage } from './lazy-page.tsx';
import { LoginPage } from './login-page.tsx';
import { PageHeader } from './page-header.tsx';
import { refusalOf } from './page-reach.ts';
import { rightsOf } from './rights.ts';
import { OverviewRoute, RequestsRoute } from './route-pages.tsx';
import { ShortcutHelp } from './shortcut-help.tsx';
import { useSession } from './use-session.ts';

function toLogin() {
  const { path, search } = here();
  if (path !== '/login') go(loginPath(path + search), 'replace');
}

/** The board of jobs is a page of the server, not of this console. */
function enter(path: string) {
  if (path.startsWith('/admin/')) location.assign(path);
  else go(path, 'replace');
}

/** Pages without a search field of their own: there `/` leads to the key list's. */
const SEARCHLESS = ['key', 'missing'];

function useConsoleKeys(setHelp: (shown: boolean) => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const key = plainKey(event);
      if (key === '?') setHelp(true);
      if (key !== '/' || !SEARCHLESS.includes(routeOf(here().path).page)) return;
      event.preventDefault();
      go('/keys');
      // After the list is drawn, its field can take the next letter.
      requestAnimationFrame(() => document.querySelector<HTMLInputElement>('input[type="search"]')?.focus());
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

export function Console() {
  const place = usePlace();
  const route = routeOf(place.path);
  const api = useMemo(() => createApiClient({ onSignedOut: toLogin }), []);
  // At the login page a 401 is an answer to the token, not a reason to leave.
  const loginApi = useMemo(() => createApiClient(), []);
  const signedOut = route.page === 'login';
  const { session, mayAsk } = useSession(api, signedOut);
  const rights = useMemo(() => rightsOf(session), [session]);
  const [help, setHelp] = useState(false);
  useArrival(place.path);
  useConsoleKeys(setHelp);

  if (route.page === 'login') {
    const onSignedIn = () => enter(returnPath(new URLSearchParams(place.search).get('next')));
    return <LoginPage api={loginApi} onSignedIn={onSignedIn} />;
  }
  if (!mayAsk) return null;
  // Before the session is known a page is asked for all the same: most tokens reach it.
  const refusal = session ? refusalOf(route.page, rights) : '';
  return (
    <>
      <PageHeader page={route.page} {...{ api, session, rights }} onHelp={() => setHelp(true)} />
      {route.page === 'overview' && <OverviewRoute api={api} search={place.search} />}
      {route.page === 'requests' && <RequestsRoute api={api} search={place.search} />}
      {route.page === 'keys' && <KeysPage api={api} search={place.search} />}
      {route.page === 'key' && <KeyPage api={api} keyId={route.keyId} search={place.search} />}
      {isLazy(route.page) && !refusal && (
        <LazyPage page={route.page} {...{ api, rights }} search={place.search} id={'id' in route ? route.id : ''} />
      )}
      {refusal && <BeyondReach {...{ refusal, rights }} />}
      {route.page === 'missing' && <Missing />}
      {help && <ShortcutHelp onClose={() => setHelp(false)} />}
    </>
  );
}

function Missing() {
  return (
    <main class="page">
      <section class="panel no-match">
        <h1>There is no such page</h1>
        <p>
          <Link href="/keys">Go to the keys</Link>
        </p>
      </section>
    </main>
  );
}
