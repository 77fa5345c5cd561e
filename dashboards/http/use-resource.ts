import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type ProblemError, problemOf } from './problem.ts';

export interface Resource<Answer> {
  /** Stays on screen while the next one loads, so that a filter click does not empty the page. */
  data: Answer | null;
  /** When `data` came, by the viewer's clock: what it calls past lies before that. Null before the first answer. */
  answeredAt: number | null;
  problem: ProblemError | null;
  loading: boolean;
  retry: () => void;
}

type State<Answer> = Omit<Resource<Answer>, 'retry'>;

/** Loads again whenever `name` changes; an answer that was overtaken by a newer question is dropped. */
export function useResource<Answer>(name: string, load: (signal: AbortSignal) => Promise<Answer>): Resource<Answer> {
  const [state, setState] = useState<State<Answer>>({ data: null, answeredAt: null, problem: null, loading: true });
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  // `name` stands for everything `load` reads. Not after the paint: the question should be under way by then.
  useLayoutEffect(() => {
    const abort = new AbortController();
    setState((before) => (before.loading ? before : { ...before, loading: true }));
    latest.current(abort.signal).then(
      (data) => !abort.signal.aborted && setState({ data, answeredAt: Date.now(), problem: null, loading: false }),
      (error: unknown) => {
        if (!abort.signal.aborted) setState((before) => ({ ...before, problem: problemOf(error), loading: false }));
      },
    );
    return () => abort.abort();
  }, [name, attempt]);

  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { ...state, retry };
}
