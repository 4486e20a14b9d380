import type { GeoApiError } from "../shared/client/client.ts";

/** What the command's exit code says. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** It was done, and what it found is not as it should be: for scripts that watch. */
  unhealthy: 3,
  notAllowed: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message for its caller and an exit code other than 0. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(exitCode: Exclude<ExitCode, typeof EXIT.ok>, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The exit code of a call that a site's API did not do. */
export const exitCodeOf = ({ reason }: Pick<GeoApiError, "reason">): ExitCode => {
  if (reason === "unauthorized" || reason === "forbidden") return EXIT.notAllowed;
  return reason === "invalid" ? EXIT.usage : EXIT.failure;
};
