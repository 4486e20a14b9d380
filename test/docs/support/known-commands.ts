import { CommanderError, type Command } from "commander";
import * as z from "zod";
import { makeProgram } from "../../../cli/program.ts";
import config from "../../../infra/geo.config.ts";
import { parseStartOptions } from "../../../infra/local/start-options.ts";
import { API_ROUTES } from "../../../shared/client/api-routes.ts";
import { installationNames, stackNames } from "../../../shared/geo/physical-names.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { textOf } from "./repository.ts";
import type { ShellCommand } from "./shell.ts";

const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(textOf("package.json")));

/** npm's own commands. */
const NPM_ITSELF = new Set(["ci", "install"]);

/** What is wrong with a command; undefined: nothing. */
type Problem = string | undefined;

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Reads a command line by the options that the command really has, and does nothing. */
const geoProblem = (args: readonly string[]): Problem => {
  let command: Command = makeProgram({ root: "/nowhere", replicables, out: () => {}, err: () => {} });
  let rest = [...args];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  if (rest.includes("--help") || rest.includes("--version")) return undefined;
  if (command.commands.length > 0) return `geo has no command ${args.join(" ")}`;
  try {
    const { operands, unknown } = command.parseOptions(rest);
    if (unknown.length > 0) return `geo ${command.name()} has no option ${unknown.join(" ")}`;
    const { registeredArguments: wanted } = command;
    const most = wanted.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : wanted.length;
    const least = wanted.filter(({ required }) => required).length;
    if (operands.length < least || operands.length > most) {
      return `geo ${command.name()} takes ${least} to ${most} words, got ${operands.length}`;
    }
    const absent = command.options.filter(
      ({ mandatory, long }) => mandatory && !rest.some((word) => word === long || word.startsWith(`${long ?? ""}=`)),
    );
    return absent.length === 0
      ? undefined
      : `geo ${command.name()} needs ${absent.map(({ flags }) => flags).join(", ")}`;
  } catch (thrown) {
    return thrown instanceof CommanderError ? thrown.message : messageOf(thrown);
  }
};

const npmProblem = ([first = "", ...others]: readonly string[]): Problem => {
  if (NPM_ITSELF.has(first))
    return others.length === 0 ? undefined : `npm ${first} ${others.join(" ")} is not expected`;
  const [name = "", ...rest] = first === "run" ? others : [first, ...others];
  if (!Object.hasOwn(scripts, name)) return `package.json has no script ${name}`;
  const [separator, ...args] = rest;
  if (separator !== undefined && separator !== "--") return `npm keeps ${separator} for itself: put -- before it`;
  if (name === "geo") return geoProblem(args);
  if (name !== "start") return undefined;
  try {
    parseStartOptions(args);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
};

/** A route with a place for each part that varies: as a page writes it, by a variable or a value. */
const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/:\w+/g, "[^/]+")}$`).test(path);

/** Where a call goes to and what it sends; only what pages use. */
const curlProblem = (args: readonly string[]): Problem => {
  const taken = { method: "GET", url: "", body: undefined as string | undefined, token: false };
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    const value = args[at + 1] ?? "";
    if (word === "-s") continue;
    else if (word === "-X") taken.method = value;
    else if (word === "-d") taken.body = value;
    else if (word === "-H") taken.token ||= value.startsWith("PRIVATE-TOKEN: $");
    else if (word.startsWith("-")) return `curl ${word} is not expected`;
    else taken.url = word;
    if (word.startsWith("-")) at += 1;
  }
  const [, path = "", query = ""] = /^\$\w+(\/[^?]*)(?:\?(.*))?$/.exec(taken.url) ?? [];
  if (path === "") return `curl asks ${taken.url}, expected a path beneath $API_URL or its like`;
  if (!taken.token) return `curl ${path} sends no token`;
  const fitting = API_ROUTES.filter((one) => matches(one.path, path));
  // A part that is a word of its own comes before one that may be anything.
  const route = fitting
    .toSorted((left, right) => left.path.split(":").length - right.path.split(":").length)
    .find(({ method }) => method === taken.method);
  if (route === undefined) return `the API has no ${taken.method} ${path}`;
  const unknown = [...new URLSearchParams(query).keys()].filter((name) => !Object.hasOwn(route.query ?? {}, name));
  if (unknown.length > 0) return `${taken.method} ${path} takes no ${unknown.join(", ")}`;
  if (taken.body === undefined) return undefined;
  if (route.body === undefined) return `${taken.method} ${path} takes no body`;
  try {
    const sent: unknown = JSON.parse(taken.body);
    const names = Object.keys(z.record(z.string(), z.unknown()).parse(sent));
    const schema = z.object({ properties: z.record(z.string(), z.unknown()) });
    const { properties } = schema.parse(z.toJSONSchema(route.body, { io: "input", unrepresentable: "any" }));
    const more = names.filter((name) => !Object.hasOwn(properties, name));
    if (more.length > 0) return `${taken.method} ${path} takes no ${more.join(", ")} in its body`;
    return z.core.safeParse(route.body, sent).error?.message;
  } catch (thrown) {
    return `the body of ${taken.method} ${path}: ${messageOf(thrown)}`;
  }
};

/** The stacks of the configuration that comes with the repository, which pages deploy. */
const STACKS: ReadonlySet<string> = new Set([
  installationNames(config).overview,
  ...[config.primary, ...config.secondaries].flatMap((site) => Object.values(stackNames(config, site))),
]);

/** CDK's commands that pages use. */
const CDK = new Set(["bootstrap", "deploy", "destroy", "diff"]);

const cdkProblem = ([command = "", ...args]: readonly string[]): Problem => {
  if (!CDK.has(command)) return `cdk ${command} is not expected`;
  if (command === "bootstrap") return undefined;
  const unknown = args.filter((name) => !name.startsWith("-") && !STACKS.has(name));
  return unknown.length === 0 ? undefined : `the configuration has no stack ${unknown.join(", ")}`;
};

/** Words of a shell that call nothing of ours, and that nothing can be wrong with. */
const OF_THE_SHELL = new Set(["cd", "export", "unset", "jq", "git"]);

/** Whether only AWS can answer a command: it is AWS's own, or asks a table rather than an API. */
export const asksAws = ({ words: [first, second, third] }: ShellCommand): boolean =>
  first === "aws" ||
  (first === "npx" && second === "cdk" && third !== "synth") ||
  (first === "geo" && second === "token");

/**
 * What is wrong with a command that a page shows, as far as it can be told without running it: geo's by the options that it
 * has, npm's by the scripts that there are, calls of the API by its routes and bodies, stacks by the configuration.
 * @returns undefined when nothing is wrong, and for what calls nothing of ours where the block is marked
 */
export const problemOf = ({ words }: ShellCommand, isMarked: boolean): Problem => {
  const [first, ...rest] = words;
  if (first === undefined || OF_THE_SHELL.has(first)) return undefined;
  if (first === "geo") return geoProblem(rest);
  if (first === "npm") return npmProblem(rest);
  if (first === "curl") return curlProblem(rest);
  if (first === "npx" && rest[0] === "cdk") return cdkProblem(rest.slice(1));
  return isMarked ? undefined : `nobody knows ${words.join(" ")}`;
};
