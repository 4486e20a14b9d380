import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ApiEnv } from "./site-paths.ts";

/** Refuses a body of more bytes before it is read: 413. */
export const atMost = (bytes: number): MiddlewareHandler =>
  bodyLimit({
    maxSize: bytes,
    onError: (context) =>
      context.json({ message: `413 Payload Too Large - body: expected at most ${bytes} bytes` }, 413),
  });

/** What was sent, as JSON; nothing when it is none. */
export const jsonOf = async (context: Context<ApiEnv>): Promise<{ readonly json: unknown } | undefined> => {
  const text = await context.req.text();
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
};
