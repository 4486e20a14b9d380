/** Telemetry that gathers metrics and writes them out when it is told to. */
export interface Flushable {
  flush(): void;
}

/** A handler whose metrics are written out at the end of every invocation, also of one that fails. */
export const flushing =
  <Event, Result>(telemetry: Flushable, handler: (event: Event) => Promise<Result>) =>
  async (event: Event): Promise<Result> => {
    try {
      return await handler(event);
    } finally {
      telemetry.flush();
    }
  };
