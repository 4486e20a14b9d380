import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import * as z from "zod";
import type { GeoConfig } from "../../shared/config/geo-config.ts";
import { messageOf } from "../../shared/geo/errors.ts";
import { secondaryNames } from "../../shared/geo/physical-names.ts";
import { addConnectionOptions, connectAll } from "../connection.ts";
import { examine } from "../doctor/checks.ts";
import type { Examined } from "../doctor/examined.ts";
import type { Finding, Verdict } from "../doctor/finding.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { wrapped } from "../output/lines.ts";
import {
  addExamples,
  addOutputOption,
  CONNECTION_OPTIONS,
  jsonLine,
  OutputFormat,
  readOptions,
} from "../output/options.ts";
import { type Paint, painter } from "../output/paint.ts";
import { columnsOf } from "../output/terminal.ts";
import { countOf, printable } from "../output/texts.ts";
import { findSites, type KnownSites } from "../run-file.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({ ...CONNECTION_OPTIONS, config: z.string().optional(), output: OutputFormat });
type Options = z.infer<typeof Options>;

const HELP = `
Looks, and changes nothing: whether sites answer and are of one version, whether everything is deployed that the configuration names,
whether buckets keep versions and report changes, what AWS denied, what was given up, what nobody owns, and whether the clocks agree.
It takes an API token as other commands do, and AWS credentials that may read, found as the AWS SDK finds them: s3:GetBucketVersioning,
s3:GetBucketNotification, s3:ListBucketMultipartUploads, dynamodb:DescribeTable, sqs:GetQueueUrl, sqs:GetQueueAttributes,
sns:GetTopicAttributes, states:DescribeStateMachine. What it may not look at, it says.
Exits with 0 when all is well, with 3 when anything is wrong or could not be looked at, with 4 when it was let look at nothing, and with
1 when nothing answered.`;

/** What a site's deployment is described by, when nobody says so. */
const CONFIG_DEFAULT = "infra/geo.config.ts";
const CONFIG_OF_DEMONSTRATION = "infra/local/geo.config.ts";

const readConfig = async (
  { config }: Options,
  known: KnownSites | undefined,
  { root }: Surroundings,
): Promise<Examined["config"]> => {
  const path = config ?? (known?.cloud === undefined ? CONFIG_DEFAULT : CONFIG_OF_DEMONSTRATION);
  try {
    const file = pathToFileURL(isAbsolute(path) ? path : join(root, path)).href;
    const { default: read } = (await import(file)) as { readonly default?: GeoConfig };
    if (read?.primary === undefined) return { problem: `${path} exports no configuration (expected defineGeoConfig)` };
    return read;
  } catch (error) {
    if (config !== undefined)
      throw new CommandError(EXIT.usage, `--config ${path} can not be read: ${messageOf(error)}`);
    return { problem: `${path} can not be read: ${messageOf(error)}` };
  }
};

const lookAround = async (known: KnownSites | undefined, { awsLook }: Surroundings): Promise<Examined["aws"]> => {
  if (known?.cloud !== undefined && known.cloud.endpoint === undefined) {
    return { problem: `the ${known.cloud.name} world has no AWS that could be looked at` };
  }
  // Only here: every other command would wait for the SDK to load.
  const look = awsLook ?? (await import("../doctor/aws-looker.ts")).awsLooker;
  return look({ endpoint: known?.cloud?.endpoint, credentials: known?.credentials });
};

/**
 * The configuration with the account that its tables are in. Most take it from their environment, where cdk puts it and
 * nobody else does; names of buckets have it in them.
 */
const inItsAccount = async (
  config: Examined["config"],
  aws: Examined["aws"],
): Promise<Pick<Examined, "config" | "isAccountKnown">> => {
  if ("problem" in config || "problem" in aws) return { config, isAccountKnown: false };
  for (const site of [config.primary, ...config.secondaries]) {
    const looked = await aws.table({ region: site.region, name: secondaryNames(config, site).siteTable });
    if (looked.outcome === "seen" && looked.seen.account !== "") {
      return { config: { ...config, account: looked.seen.account }, isAccountKnown: true };
    }
  }
  return { config, isAccountKnown: false };
};

const MARKS: Readonly<Record<Verdict, { readonly mark: string; readonly style: Parameters<Paint>[0] }>> = {
  ok: { mark: "ok", style: "good" },
  warning: { mark: "warning", style: "warning" },
  problem: { mark: "problem", style: "bad" },
  unknown: { mark: "unknown", style: "warning" },
};
const MARK_COLUMNS = Math.max(...Object.values(MARKS).map(({ mark }) => mark.length));

const tell = (findings: readonly Finding[], surroundings: Surroundings): string => {
  const paint = painter(surroundings);
  const room = Math.max(20, columnsOf(surroundings) - MARK_COLUMNS - 2);
  const indented = (text: string): string => `${" ".repeat(MARK_COLUMNS + 2)}${text}\n`;
  return findings
    .map(({ check, site, verdict, found, remedy }) => {
      const { mark, style } = MARKS[verdict];
      const [first = "", ...rest] = wrapped(`${site === null ? "" : `${site}: `}${check}: ${printable(found)}`, room);
      const lines = [...rest, ...(remedy === null ? [] : wrapped(`-> ${remedy}`, room))];
      return `${paint(style, mark.padEnd(MARK_COLUMNS))}  ${first}\n${lines.map(indented).join("")}`;
    })
    .join("");
};

const numberOf = (findings: readonly Finding[], verdict: Verdict): number =>
  findings.filter((finding) => finding.verdict === verdict).length;

const run = async (options: Options, surroundings: Surroundings): Promise<void> => {
  const { now = () => Date.now(), replicables, out, fetch: send = fetch } = surroundings;
  const isGiven = options.endpointUrl !== undefined || (surroundings.env?.["GEO_ENDPOINT_URL"] ?? "") !== "";
  const known = isGiven ? undefined : await findSites(surroundings);
  const sites = await connectAll(options, surroundings);
  const aws = await lookAround(known, surroundings);
  const inAccount = await inItsAccount(await readConfig(options, known, surroundings), aws);
  const findings = await examine({
    ...inAccount,
    aws,
    sites,
    replicables,
    now,
    fetch: send,
  });
  const [problems, warnings, unseen] = [
    numberOf(findings, "problem"),
    numberOf(findings, "warning"),
    numberOf(findings, "unknown"),
  ];
  const healthy = problems + warnings + unseen === 0;
  out(options.output === "json" ? jsonLine({ healthy, findings }) : tell(findings, surroundings));
  if (healthy) return;
  if (unseen === findings.length) {
    const refused = findings.some(({ not_allowed: isRefused }) => isRefused === true);
    throw new CommandError(refused ? EXIT.notAllowed : EXIT.failure, "nothing could be looked at");
  }
  throw new CommandError(
    EXIT.unhealthy,
    `${countOf(problems, "problem")}, ${countOf(warnings, "warning")}, ${String(unseen)} could not be looked at`,
  );
};

/** `geo doctor`: what is wrong with an installation, and what helps. */
export const addDoctor = (parent: Command, surroundings: Surroundings): void => {
  const command = parent
    .command("doctor")
    .description("Says what is wrong with an installation, deployed or half deployed, and what helps.")
    .option("--config <path>", `its configuration (default: ${CONFIG_DEFAULT}; of the demonstration, its own)`)
    .action((raw: unknown) => run(readOptions(Options, raw), surroundings));
  addOutputOption(addConnectionOptions(command)).addHelpText("after", HELP);
  addExamples(command, "geo doctor", "geo doctor --config infra/geo.config.ts --output json");
};
