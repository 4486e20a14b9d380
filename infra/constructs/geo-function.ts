import process from "node:process";

import { RemovalPolicy, type Duration } from "aws-cdk-lib";
import { Role, ServicePrincipal, type IGrantable, type IPrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction, OutputFormat, type ICommandHooks } from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import * as z from "zod/mini";

import { acknowledge } from "./acknowledge.ts";
import { handlerFile, LAMBDA_CREDENTIALS, LOCKFILE, type FunctionFolder } from "./function-folder.ts";

/** The schema that a function parses its environment with (`functions/<folder>/env.ts`). */
export type EnvironmentSchema = z.core.$ZodType<unknown, Readonly<Record<string, string>>>;

export interface GeoFunctionProps<Schema extends EnvironmentSchema> {
  /** Which folder of `functions/` it is. */
  readonly folder: FunctionFolder;
  /** Its physical name (`functionName` of shared/geo/physical-names.ts). */
  readonly functionName: string;
  readonly description: string;
  /** The function's own schema, so that a forgotten variable does not compile. */
  readonly schema: Schema;
  readonly environment: z.input<Schema>;
  readonly timeout: Duration;
  /** Memory in MiB; CPU and network come in proportion. */
  readonly memorySize: number;
  /** Whether to report to X-Ray. Default false. */
  readonly tracing?: boolean;
  /** A script of this product that writes further files: Node runs it with the folder of the finished bundle. Default: none. */
  readonly furtherFiles?: string;
}

/** Some dependencies are CommonJS and call `require`, which an ES module does not have. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Hooks of the bundling that run a script on the Node that synthesizes. */
const writingFiles = (script: string): ICommandHooks => ({
  beforeBundling: () => [],
  beforeInstall: () => [],
  afterBundling: (_from, to) => [[process.execPath, script, to].map((word) => JSON.stringify(word)).join(" ")],
});

/**
 * One Lambda of this product: Node 24 on arm64, everything it uses in its bundle, a role of its own that may write its
 * own log and nothing else until something is granted. No concurrency is reserved: an account's reserve is for its owner
 * to give.
 */
export class GeoFunction<Schema extends EnvironmentSchema> extends Construct implements IGrantable {
  readonly function: NodejsFunction;
  readonly grantPrincipal: IPrincipal;

  /** @throws {Error} when a value does not satisfy the function's own schema. */
  constructor(scope: Construct, id: string, props: GeoFunctionProps<Schema>) {
    super(scope, id);
    const checked = z.safeParse(props.schema, props.environment);
    if (!checked.success) {
      throw new Error(`${props.functionName} would not start with this environment: ${checked.error.message}`);
    }

    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `${props.functionName}: ${props.description}`,
    });
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(role);

    this.function = new NodejsFunction(this, "Function", {
      functionName: props.functionName,
      description: props.description,
      entry: handlerFile(props.folder),
      handler: "handler",
      depsLockFilePath: LOCKFILE,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memorySize,
      environment: { ...props.environment },
      awsSdkConnectionReuse: false, // a setting of the SDK's version 2; version 3 reuses connections by itself
      tracing: props.tracing === true ? Tracing.ACTIVE : Tracing.DISABLED,
      role,
      logGroup,
      bundling: {
        format: OutputFormat.ESM,
        target: "node24",
        mainFields: ["module", "main"],
        externalModules: [],
        minify: true,
        banner: REQUIRE_BANNER,
        esbuildArgs: { "--alias:@aws-sdk/credential-provider-node": LAMBDA_CREDENTIALS },
        ...(props.furtherFiles !== undefined && { commandHooks: writingFiles(props.furtherFiles) }),
      },
    });
    this.grantPrincipal = role;

    if (props.tracing === true) {
      acknowledge(role, { "IAM5[Resource::*]": "X-Ray has no resources to name: traces go to the account." });
    }
  }
}
