import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { CallProblem } from "./api.ts";

/** Something that is asked of the API. What was there before stays while it is asked for again. */
export interface Loaded<Value> {
  readonly value: Value | undefined;
  readonly problem: CallProblem | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface State<Value> {
  readonly key: string;
  readonly value: Value | undefined;
  readonly problem: CallProblem | undefined;
  readonly isLoading: boolean;
}

/** What failed, in words; a fault of this page is told as one. */
export const asProblem = (error: unknown): CallProblem =>
  error instanceof CallProblem
    ? error
    : new CallProblem(
        `The page has made a mistake: ${String(error)}`,
        "Load it again; if it happens again, report it.",
      );

/**
 * Loads something, again whenever `key` changes, and then every so many milliseconds as long as the page is looked at
 * and nothing is under way.
 * @param key says what is loaded; with another one what was there before is forgotten
 */
export const useLoaded = <Value>(
  key: string,
  load: (signal: AbortSignal) => Promise<Value>,
  everyMs?: number,
): Loaded<Value> => {
  const fresh: State<Value> = { key, value: undefined, problem: undefined, isLoading: true };
  const [state, setState] = useState(fresh);
  const [asked, setAsked] = useState(0);
  const loading = useRef(load);
  loading.current = load;
  const underWay = useRef(false);

  useEffect(() => {
    const ending = new AbortController();
    underWay.current = true;
    setState((before) => (before.key === key ? { ...before, isLoading: true } : fresh));
    const run = async (): Promise<void> => {
      try {
        const value = await loading.current(ending.signal);
        if (ending.signal.aborted) return;
        setState({ key, value, problem: undefined, isLoading: false });
      } catch (error) {
        if (ending.signal.aborted) return;
        const problem = asProblem(error);
        setState((before) => ({
          key,
          value: before.key === key ? before.value : undefined,
          problem,
          isLoading: false,
        }));
      }
      underWay.current = false;
    };
    void run();
    return () => ending.abort();
  }, [key, asked]);

  const reload = useCallback(() => setAsked((count) => count + 1), []);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      // To ask again ends the call that is under way: one slower than the interval would never come to its answer.
      if (document.visibilityState === "visible" && !underWay.current) reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);

  const shown = state.key === key ? state : fresh;
  return { value: shown.value, problem: shown.problem, isLoading: shown.isLoading, reload };
};
