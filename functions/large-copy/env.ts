import * as z from "zod/mini";
import { env as eventConsumer } from "../event-consumer/env.ts";

/**
 * Environment of large copies: the workflow's function copies as the event-consumer does, and sweeps uploads of nobody. It
 * reads no queue, and starts no workflow, being one.
 */
export const env = z.omit(eventConsumer, {
  PARKING_QUEUE: true,
  LARGE_COPY_MACHINE: true,
  LARGE_COPY_BYTES: true,
  WORKERS_MAX: true,
});
