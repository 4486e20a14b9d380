import process from "node:process";
import type { Cloud } from "./cloud.ts";
import { dockerReason, LOCALSTACK_ARCHIVE_IMAGE, LOCALSTACK_IMAGE, startLocalStack } from "./localstack.ts";
import { EMULATED_ACCOUNT, health, startMiniStack } from "./ministack.ts";
import { installMiniStack } from "./ministack-install.ts";
import { InterruptedError } from "./processes.ts";

/** What `GEO_CLOUD` may say. `embedded` asks for no cloud; `aws` is only ever taken when it is asked for. */
export const CLOUD_CHOICES = ["endpoint", "localstack", "ministack", "embedded", "aws"] as const;
export type CloudChoice = (typeof CLOUD_CHOICES)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** One way to a cloud. */
export interface CloudProvider {
  readonly choice: CloudChoice;
  /** Gets the cloud, or says in a sentence why it can not. Other failures are thrown. */
  get(
    env: Environment,
    detail: (text: string) => void,
  ): Promise<{ readonly cloud: Cloud; readonly why: string } | { readonly reason: string }>;
}

/** What was found. Without a cloud there is the embedded world; `passedOver` says what was tried before, and why not. */
export type Resolution =
  | { readonly cloud: Cloud; readonly why: string; readonly passedOver: readonly string[] }
  | { readonly cloud: undefined; readonly why: string; readonly passedOver: readonly string[] };

/** The cloud that was asked for by name can not be had. */
export class CloudUnavailableError extends Error {
  override readonly name = "CloudUnavailableError";
}

const endpointProvider: CloudProvider = {
  choice: "endpoint",
  async get(env) {
    const endpoint = env["AWS_ENDPOINT_URL"];
    if (endpoint === undefined || endpoint === "") return { reason: "AWS_ENDPOINT_URL is not set" };
    if (!URL.canParse(endpoint)) return { reason: `AWS_ENDPOINT_URL is not a URL: ${endpoint}` };
    const common = {
      endpoint,
      credentials: {
        accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "test",
        secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "test",
      },
      account: env["CDK_DEFAULT_ACCOUNT"] ?? EMULATED_ACCOUNT,
      stop: async () => {}, // it is not ours to stop
    };
    const why = "AWS_ENDPOINT_URL is set";
    for (const name of ["ministack", "localstack"] as const) {
      const answer = await health(endpoint, `/_${name}/health`);
      if (answer !== undefined) return { cloud: { ...common, name, version: answer.version ?? "unknown" }, why };
    }
    const answers = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.status < 500,
      () => false,
    );
    if (!answers) return { reason: `nothing healthy answers at AWS_ENDPOINT_URL (${endpoint})` };
    return { cloud: { ...common, name: "other", version: "unknown" }, why };
  },
};

const localStackProvider: CloudProvider = {
  choice: "localstack",
  async get(env, detail) {
    const token = env["LOCALSTACK_AUTH_TOKEN"] !== undefined;
    if (!token && env["GEO_LOCALSTACK_ARCHIVE"] !== "1") {
      return {
        reason:
          "LocalStack needs LOCALSTACK_AUTH_TOKEN, or GEO_LOCALSTACK_ARCHIVE=1 for its frozen last community image",
      };
    }
    const reason = await dockerReason();
    if (reason !== undefined) return { reason };
    const image = token ? LOCALSTACK_IMAGE : LOCALSTACK_ARCHIVE_IMAGE;
    detail(`starting ${image}`);
    return {
      cloud: await startLocalStack(image),
      why: `docker answers and ${token ? "a token" : "GEO_LOCALSTACK_ARCHIVE"} is set`,
    };
  },
};

const miniStackProvider: CloudProvider = {
  choice: "ministack",
  async get(_env, detail) {
    const found = await installMiniStack(detail);
    if ("reason" in found) return found;
    detail(`starting MiniStack ${found.installation.version}`);
    return {
      cloud: await startMiniStack(found.installation),
      why: "it runs on Python alone, in this project's own folder",
    };
  },
};

const awsProvider: CloudProvider = {
  choice: "aws",
  async get(env) {
    const account = env["CDK_DEFAULT_ACCOUNT"];
    if (account === undefined || !/^\d{12}$/.test(account)) {
      return {
        reason: "for AWS itself, set CDK_DEFAULT_ACCOUNT to the account's 12 digits, and have credentials for it",
      };
    }
    return { cloud: { name: "aws", version: "aws", account, stop: async () => {} }, why: "it was asked for" };
  },
};

/** In the order in which they are tried. AWS is not among those: it costs money. */
const BY_PREFERENCE: readonly CloudProvider[] = [endpointProvider, localStackProvider, miniStackProvider];

const isChoice = (text: string): text is CloudChoice => (CLOUD_CHOICES as readonly string[]).includes(text);

/**
 * Finds a cloud: an endpoint that is set and healthy; LocalStack, when docker answers and a token (or the opt-in to the
 * frozen image) is there; MiniStack, when there is Python; else none, and the embedded world has to do.
 *
 * @param options.choice takes this one or fails; default what `GEO_CLOUD` says.
 * @throws {CloudUnavailableError} when one was asked for by name and can not be had.
 */
export const resolveCloud = async (
  options: {
    readonly env?: Environment;
    readonly choice?: string | undefined;
    readonly detail?: (text: string) => void;
    readonly providers?: readonly CloudProvider[];
  } = {},
): Promise<Resolution> => {
  const env = options.env ?? process.env;
  const detail = options.detail ?? (() => {});
  const providers = options.providers ?? BY_PREFERENCE;
  const choice = options.choice ?? env["GEO_CLOUD"];
  if (choice !== undefined && choice !== "" && !isChoice(choice)) {
    throw new CloudUnavailableError(
      `GEO_CLOUD must be one of ${CLOUD_CHOICES.join(", ")}; it is ${JSON.stringify(choice)}`,
    );
  }
  if (choice === "embedded") return { cloud: undefined, why: "it was asked for", passedOver: [] };
  const forced = choice === undefined || choice === "" ? undefined : choice;
  const candidates =
    forced === undefined ? providers : [...providers, awsProvider].filter((one) => one.choice === forced);
  const passedOver: string[] = [];
  for (const provider of candidates) {
    try {
      const found = await provider.get(env, detail);
      if ("cloud" in found) {
        const why = forced === undefined ? found.why : "it was asked for";
        return { cloud: found.cloud, why, passedOver };
      }
      passedOver.push(`${provider.choice}: ${found.reason}`);
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      passedOver.push(`${provider.choice}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (forced !== undefined) {
    throw new CloudUnavailableError(`${forced} was asked for and can not be had. ${passedOver.join("; ")}`);
  }
  return { cloud: undefined, why: "no cloud can be had on this machine", passedOver };
};

/** One line that says what a run runs on. */
export const describeResolution = (resolution: Resolution): string =>
  resolution.cloud === undefined
    ? `Cloud: none, so this runs in the embedded world: the same services in one process, without AWS APIs (${resolution.why}).`
    : `Cloud: ${resolution.cloud.name} ${resolution.cloud.version} at ${resolution.cloud.endpoint ?? "AWS"} (${resolution.why}).`;
