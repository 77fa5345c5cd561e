import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ProblemError, problemOf } from './problem.ts';

export interface Action<Input extends unknown[]> {
  run: (...input: Input) => Promise<void>;
  busy: boolean;
  problem: ProblemError | null;
  forget: () => void;
}

/** Something the viewer does. While it is under way a second click does nothing. */
export function useAction<Input extends unknown[]>(act: (...input: Input) => Promise<unknown>): Action<Input> {
  const [state, setState] = useState<{ busy: boolean; problem: ProblemError | null }>({ busy: false, problem: null });
  const latest = useRef(act);
  latest.current = act;
  const running = useRef(false);
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const run = useCallback(async (...input: Input) => {
    if (running.current) return;
    running.current = true;
    setState({ busy: true, problem: null });
    let problem: ProblemError | null = null;
    try {
      await latest.current(...input);
    } catch (error) {
      problem = problemOf(error);
    }
    running.current = false;
    if (!gone.current) setState({ busy: false, problem });
  }, []);
  const forget = useCallback(() => setState({ busy: false, problem: null }), []);
  return { run, ...state, forget };
}
