import { useEffect, useState } from 'preact/hooks';
import type { ApiClient } from '../http/client.ts';
import type { Session } from '../http/contract/access.ts';
import { rememberSession, remembersSession } from './session-memory.ts';

export interface SessionState {
  /** Null until it is known. */
  session: Session | null;
  /** Whether pages may ask before it is known: this browser was signed in before, or the question went unanswered and the page is to say why. */
  mayAsk: boolean;
}

export function useSession(api: ApiClient, signedOut: boolean): SessionState {
  const [session, setSession] = useState<Session | null>(null);
  const [mayAsk, setMayAsk] = useState(remembersSession);
  useEffect(() => {
    if (signedOut) {
      rememberSession(false);
      return setSession(null);
    }
    const answered = (answer: Session) => {
      rememberSession(true);
      setSession(answer);
    };
    const end = () => setMayAsk(true);
    api
      .get<Session>('/v1/session')
      .then(answered, () => undefined)
      .then(end);
  }, [api, signedOut]);
  return { session, mayAsk };
}
