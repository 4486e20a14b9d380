import type { Replicable } from "../shared/geo/replicable.ts";
import type { AwsLook } from "./doctor/aws-look.ts";
import type { AwsAccess } from "./doctor/aws-looker.ts";
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
  /** The screen that answers are shown on. Absent: a file or another program reads them, and nothing is drawn. */
  readonly screen?: { readonly columns: () => number };
  /** Whether answers have colours. Default: they have none. */
  readonly colours?: boolean;
  /** The terminal on which bars are drawn, where progress is shown. Absent: it is told in lines. */
  readonly bars?: NodeJS.WritableStream;
  /** The time, milliseconds since the epoch. Default: the machine's. */
  readonly now?: () => number;
  /** How a site's API is called. Default: the runtime's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How a site's table is opened. Default: DynamoDB's. */
  readonly siteTable?: (address: TableAddress) => TokenTable;
  /** How AWS is looked at. Default: with the SDK. */
  readonly awsLook?: (access: AwsAccess) => AwsLook;
  /** Lets so many milliseconds pass. Default: the runtime's own. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
  /** Calls back when somebody presses Ctrl-C, instead of ending the command. Returns what ends that. Default: nobody does. */
  readonly onInterrupt?: (interrupted: () => void) => () => void;
}
