/** How long a client waits for the other end of its connection, each in milliseconds. Left alone, the SDK waits for ever. */
export interface Timeouts {
  /** For a connection, be it a new one or a free one of those there are. Nothing has been sent by then. */
  readonly connectMs: number;
  /** From asking to the first byte of the answer. Undefined: as long as it takes. */
  readonly answerMs: number | undefined;
  /** Between two bytes of an answer. Undefined: as long as it takes. */
  readonly idleMs: number | undefined;
}

/**
 * A handshake between any two regions takes less than a second. Three leave room for one packet that has to be sent again,
 * and for a free socket when all of a client's are in use.
 */
const CONNECT_MS = 3_000;

/**
 * What is answered in milliseconds, from another region in a few hundred, is not coming any more after this. The SDK then
 * asks again, twice, unless it is told not to: a service that hangs costs an attempt a quarter of a minute, and not the
 * function's whole time.
 */
const ANSWER_MS = 5_000;

/** S3 sends a body without pauses. Not a limit of the whole: reading 5 GB may take minutes. */
const IDLE_MS = 10_000;

/** For everything that is asked and answered: tables, queues, topics, looks at a bucket, and bodies as they come. */
export const ASKING: Timeouts = { connectMs: CONNECT_MS, answerMs: ANSWER_MS, idleMs: IDLE_MS };

/**
 * For copies and removals. S3 may be silent for minutes while it copies 5 GB, and a request that is given up on may still
 * be carried out: each has the deadline that its caller gives it, as long as there is time at all.
 */
export const WRITING: Timeouts = { connectMs: CONNECT_MS, answerMs: undefined, idleMs: undefined };

/**
 * For giving messages back, all in all: little of the function's time is left by then, and should it be ended before it has
 * answered, everything that it has done in this batch is delivered again.
 */
export const GIVE_BACK_MS = 2_000;

/** As the SDK's clients take them. */
export const requestHandler = ({ connectMs, answerMs, idleMs }: Timeouts) => ({
  connectionTimeout: connectMs,
  ...(answerMs === undefined ? {} : { requestTimeout: answerMs }),
  // Without this the SDK only writes a line about it.
  throwOnRequestTimeout: true,
  // None has to be asked for: some clients have one of their own.
  socketTimeout: idleMs ?? 0,
});
