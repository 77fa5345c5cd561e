import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type ApiClient, createApiClient } from '../http/client.ts';
import type { ProblemError } from '../http/problem.ts';
import { isPreset, type RangeChoice } from '../time/range.ts';
import { knownZone } from '../time/zone.ts';
import { browserZone } from '../time/zone-names.ts';
import { UsageTab } from '../usage-tab/usage-tab.tsx';
import { readView, type UsageView } from '../usage-tab/view.ts';

export interface EmbeddedUsageProps {
  keyId: string;
  token: string;
  /** Origin of the api; '' = the page's own. */
  api: string;
  range: string;
  timezone: string;
  /** The api did not accept the token. */
  onTokenRefused: (problem: ProblemError) => void;
}

function firstView(range: string, timezone: string): UsageView {
  const choice: RangeChoice | null = isPreset(range) ? { preset: range } : null;
  const view = readView(new URLSearchParams(), knownZone(timezone) ?? browserZone());
  return choice ? { ...view, range: choice } : view;
}

/** The usage tab with its state in memory: the address bar belongs to the host page. */
export function EmbeddedUsage(props: EmbeddedUsageProps) {
  const { keyId, token, api: base, range, timezone, onTokenRefused } = props;
  const [view, setView] = useState(() => firstView(range, timezone));
  const [refused, setRefused] = useState('');
  const told = useRef('');
  useEffect(() => setView(firstView(range, timezone)), [range, timezone]);

  const api = useMemo<ApiClient>(
    () =>
      createApiClient({
        base: base.replace(/\/+$/, ''),
        token,
        onSignedOut: (problem) => {
          // Several questions are under way at once; the host page hears of their common fate one time.
          if (told.current === token) return;
          told.current = token;
          setRefused(token);
          onTokenRefused(problem);
        },
      }),
    [base, token, onTokenRefused],
  );

  if (!keyId || !token) {
    const missing = keyId ? 'token' : 'key-id';
    return <Message title="Usage cannot be shown" text={`The attribute "${missing}" of this element is missing.`} />;
  }
  if (refused === token) {
    return (
      <Message
        title="Access to this usage has ended"
        text="The token of this page is unknown or has expired. Reload the page to get a new one."
      />
    );
  }
  return (
    <div class="embedded">
      <UsageTab key={`${base} ${keyId}`} api={api} keyId={keyId} view={view} onView={setView} pageKeys={false} />
    </div>
  );
}

function Message({ title, text }: { title: string; text: string }) {
  return (
    <section class="panel embed-message" role="alert">
      <h1>{title}</h1>
      <p class="dim">{text}</p>
    </section>
  );
}
