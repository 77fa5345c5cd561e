import { useEffect, useState } from 'preact/hooks';
import type { ApiClient } from '../http/client.ts';
import { type ProblemError, problemOf } from '../http/problem.ts';
import { ThemeSwitch } from './theme-switch.tsx';

interface LoginPageProps {
  api: ApiClient;
  onSignedIn: () => void;
}

export function LoginPage({ api, onSignedIn }: LoginPageProps) {
  const [problem, setProblem] = useState<ProblemError | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Sign in · Keytally';
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget as HTMLFormElement).get('token')).trim();
    if (!token) return;
    setBusy(true);
    setProblem(null);
    try {
      await api.post('/v1/session', { token });
      onSignedIn();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };

  return (
    <main class="login">
      <form class="panel" onSubmit={submit}>
        <h1>
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Keytally
        </h1>
        <TokenField refused={problem !== null} />
        <TokenNote problem={problem} />
        <button type="submit" class="primary" disabled={busy} data-testid="login-button">
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      <ThemeSwitch />
    </main>
  );
}

function TokenField({ refused }: { refused: boolean }) {
  return (
    <label class="field" for="token">
      Access token
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="current-password"
        placeholder="kt_…"
        spellcheck={false}
        required
        aria-invalid={refused}
        aria-describedby="token-note"
        data-testid="token-input"
      />
    </label>
  );
}

function TokenNote({ problem }: { problem: ProblemError | null }) {
  return (
    <p id="token-note" class={problem ? 'bad' : 'dim'} role={problem ? 'alert' : undefined}>
      {problem
        ? problem.status === 401
          ? 'This token is not known, or it was revoked.'
          : `${problem.message} ${problem.detail}`
        : 'The first admin token was printed when Keytally started for the first time.'}
    </p>
  );
}
