import type { Replicable } from "../shared/geo/replicable.ts";
import type { TableAddress, TokenTable } from "./token-keeper.ts";

/** What a command has of the world; tests have another. */
export interface Surroundings {
  /** The checkout: every path that a command writes is in it. */
  readonly root: string;
  /** The declared types. */
  readonly replicables: readonly Replicable[];
  /** The command's answer, for people or scripts. */
  readonly out: (text: string) => void;
  /** What is said beside it. */
  readonly err: (text: string) => void;
  /** Asks a question that is answered with yes or no. Absent when nobody is there to answer. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** Environment variables. Default: none are set. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How a site's API is called. Default: the runtime's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How a site's table is opened. Default: DynamoDB's. */
  readonly siteTable?: (address: TableAddress) => TokenTable;
  /** Lets so many milliseconds pass. Default: the runtime's own. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
  /** Calls back when somebody presses Ctrl-C, instead of ending the command. Returns what ends that. Default: nobody does. */
  readonly onInterrupt?: (interrupted: () => void) => () => void;
}
