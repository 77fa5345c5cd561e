import { go } from '../address/location.ts';
import type { ApiClient } from '../http/client.ts';
import { useAction } from '../http/use-action.ts';
import { Confirm } from '../panels/dialog.tsx';

/** Leaves only when the session is over: whoever walks away from a login page believes to be signed out. */
export function SignOut({ api }: { api: ApiClient }) {
  const { run, busy, problem, forget } = useAction(async () => {
    await api.remove('/v1/session');
    go('/login');
  });
  return (
    <>
      <button type="button" class="quiet" onClick={run}>
        Sign out
      </button>
      {problem && (
        <Confirm
          title="You are still signed in"
          action="Try again"
          {...{ busy, problem }}
          onConfirm={run}
          onClose={forget}
        >
          <p>Signing out did not work, and this browser still shows everything your token may see.</p>
        </Confirm>
      )}
    </>
  );
}
