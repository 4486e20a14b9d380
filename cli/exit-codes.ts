/** What the command's exit code says. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message for its caller and an exit code other than 0. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(exitCode: Exclude<ExitCode, typeof EXIT.ok>, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
