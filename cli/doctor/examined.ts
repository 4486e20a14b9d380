import type { GeoConfig } from "../../shared/config/geo-config.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { Connection, Reach } from "../connection.ts";
import type { AwsLook, Looked } from "./aws-look.ts";
import { type Said, unknown } from "./finding.ts";

/** What the doctor has of an installation. */
export interface Examined {
  /** What is deployed, by its configuration; where none can be read, why. */
  readonly config: GeoConfig | { readonly problem: string };
  /**
   * Whether `config` has the account that the installation was seen in. Buckets, topics and state machines are named by it:
   * under another account's name they would be taken for missing.
   */
  readonly isAccountKnown: boolean;
  /** A look around in AWS; where there is no AWS, why. */
  readonly aws: AwsLook | { readonly problem: string };
  /** Every site that was asked for, with its API or what is in the way. */
  readonly sites: readonly Reach[];
  readonly replicables: readonly Replicable[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** One check: what it says of each thing that it looked at. */
export interface Check {
  readonly name: string;
  look(examined: Examined): Promise<readonly Said[]>;
}

/** Sites that answer. */
export const answering = ({ sites }: Examined): readonly Connection[] =>
  sites.flatMap((reach) => ("connection" in reach ? [reach.connection] : []));

/** What a check of AWS needs, or why it can not look. */
export const inAws = ({
  config,
  aws,
}: Examined): { readonly config: GeoConfig; readonly aws: AwsLook } | { readonly cannot: Said } => {
  if ("problem" in aws)
    return { cannot: unknown(null, aws.problem, "run it where AWS, or a local cloud, can be asked") };
  if ("problem" in config) return { cannot: unknown(null, config.problem, "name the configuration with --config") };
  return { config, aws };
};

/** What is said of things that are named by an account that nobody knows. */
export const notNamed = (site: string, what: string): Said =>
  unknown(
    site,
    `${what} can not be named: none of the installation's tables was seen, and so not the account that it is in`,
    "look with the credentials of the account that it is deployed in; or nothing is deployed yet",
  );

/** What is said of a look that came to nothing. */
export const notSeen = (
  site: string,
  what: string,
  looked: Extract<Looked<unknown>, { outcome: "refused" | "failed" }>,
): Said =>
  looked.outcome === "refused"
    ? unknown(site, `AWS does not let you look at ${what} (${looked.reason})`, "use credentials that may read it", true)
    : unknown(site, `${what} could not be looked at: ${looked.reason}`, "look again; is the endpoint up?");
