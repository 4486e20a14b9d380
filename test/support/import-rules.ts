/** The import table of docs/architecture.md, as a check that can be asked about any file. */
import { dirname, join, normalize } from "node:path";

/** One room of the house: which files it has, and what these may import. */
interface Room {
  readonly name: string;
  /** The files that it holds; the first room that holds a file counts. */
  readonly holds: RegExp;
  /** Which files of ours may be imported. */
  readonly ours: readonly RegExp[];
  /** Which packages and built-ins may be imported. */
  readonly packages: readonly RegExp[];
  /** What its code may not even mention. */
  readonly never?: readonly Forbidden[];
}

interface Forbidden {
  readonly pattern: RegExp;
  readonly because: string;
}

const inside = (...folders: readonly string[]): readonly RegExp[] => folders.map((folder) => new RegExp(`^${folder}/`));

const ZOD = /^zod(\/mini)?$/;
const BUILT_IN = /^node:/;
/** Built-ins that ask the world nothing: `node:crypto` for its digests. */
const PURE_BUILT_IN = /^node:(buffer|crypto)$/;
const LAMBDA_TYPES = /^aws-lambda$/;

/** Time, chance and environment come in from outside, or nothing could be simulated. */
const WORLDLY: readonly Forbidden[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, because: "reads a clock" },
  { pattern: /\bset(Timeout|Interval|Immediate)\b/, because: "waits" },
  { pattern: /\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b/, because: "throws dice" },
  { pattern: /import [^;]*\brandom\w*\b[^;]*from "node:crypto"/, because: "throws dice" },
  { pattern: /\bprocess\.(env|argv|cwd)\b/, because: "reads its environment" },
];

const SHARED_BUT_MEMORY = inside("shared/(geo|replicables|ports|tables|services|aws|lambda|config|client)");

/** From the most particular to the most general. */
export const ROOMS: readonly Room[] = [
  {
    name: "functions/<x>/env.ts",
    holds: /^functions\/[^/]+\/env\.ts$/,
    ours: [/^functions\/[^/]+\/env\.ts$/], // of one that works in the same way, so that nothing is said twice
    packages: [ZOD],
  },
  {
    name: "functions/<x>",
    holds: /^functions\/[^/]+\//,
    ours: SHARED_BUT_MEMORY, // and its own folder, see mayImport
    packages: [
      /^hono(\/body-limit)?$/,
      /^graphql(-http)?$/,
      /^@pothos\/(core|plugin-\w+)$/,
      /^prom-client$/,
      LAMBDA_TYPES,
      BUILT_IN,
    ],
  },
  {
    // Makes the page out of its sources, when its function is bundled and in local sites.
    name: "web/build.ts",
    holds: /^web\/build\.ts$/,
    ours: [
      /^web\/type-names\.ts$/,
      /^functions\/admin-page\/built-page\.ts$/,
      ...inside("shared/geo", "shared/replicables"),
    ],
    packages: [/^esbuild$/, BUILT_IN],
  },
  {
    // What runs in a browser: of ours nothing but the API's shapes.
    name: "web",
    holds: /^web\//,
    ours: inside("web", "shared/client"),
    packages: [/^preact(\/hooks)?$/, /^@preact\/signals$/],
  },
  { name: "infra/local", holds: /^infra\/local\//, ours: [/^/], packages: [/^/] },
  {
    name: "infra",
    holds: /^infra\//,
    ours: [
      /^infra\/(?!local\/)/,
      ...inside("shared/geo", "shared/replicables", "shared/config"),
      /^functions\/[^/]+\/env\.ts$/,
    ],
    packages: [/^aws-cdk-lib(\/|$)/, /^constructs$/, /^cdk-nag$/, ZOD, BUILT_IN],
  },
  {
    // The one place of the command line that reaches AWS: tokens for the API can not be asked of the API.
    name: "cli/token-keeper.ts",
    holds: /^cli\/token-keeper\.ts$/,
    ours: inside("cli", "shared/geo", "shared/ports", "shared/services", "shared/aws"),
    packages: [ZOD, BUILT_IN, /^@aws-sdk\/(client|lib)-dynamodb$/],
  },
  {
    // And the one that looks around there, for the doctor: what is deployed, an API can not tell that is not.
    name: "cli/doctor/aws-looker.ts",
    holds: /^cli\/doctor\/aws-looker\.ts$/,
    ours: inside("cli/doctor"),
    packages: [/^@aws-sdk\/client-(dynamodb|s3|sfn|sns|sqs)$/],
  },
  {
    name: "cli",
    holds: /^cli\//,
    ours: inside("cli", "shared/client", "shared/geo", "shared/replicables", "shared/config"),
    // No SDK and no CDK: what a command wants of a deployment, it asks the API for.
    packages: [/^(commander|prettier|cli-table3|cli-progress)$/, ZOD, BUILT_IN],
  },
  {
    // The one exception: pure functions over bytes that others keep better than we would.
    name: "shared/geo/digest.ts",
    holds: /^shared\/geo\/digest\.ts$/,
    ours: inside("shared/geo"),
    packages: [PURE_BUILT_IN, /^@aws-sdk\/checksums\/crc$/, /^hash-wasm$/],
    never: WORLDLY,
  },
  {
    name: "shared/geo",
    holds: /^shared\/geo\//,
    ours: inside("shared/geo"),
    packages: [ZOD, PURE_BUILT_IN],
    never: WORLDLY,
  },
  {
    name: "shared/replicables",
    holds: /^shared\/replicables\//,
    ours: inside("shared/geo", "shared/replicables"),
    packages: [],
    never: WORLDLY,
  },
  {
    name: "shared/ports",
    holds: /^shared\/ports\//,
    ours: inside("shared/geo", "shared/ports"),
    packages: [],
    never: WORLDLY,
  },
  {
    name: "shared/tables",
    holds: /^shared\/tables\//,
    ours: inside("shared/geo", "shared/ports", "shared/tables"),
    packages: [ZOD, PURE_BUILT_IN],
    never: WORLDLY,
  },
  {
    name: "shared/services",
    holds: /^shared\/services\//,
    ours: inside("shared/geo", "shared/ports", "shared/tables", "shared/services"),
    packages: [/^p-(map|limit)$/], // how many at once; they ask the world nothing
    never: WORLDLY,
  },
  {
    name: "shared/aws",
    holds: /^shared\/aws\//,
    ours: inside("shared/geo", "shared/ports", "shared/aws"),
    packages: [/^@aws-sdk\//, /^@aws-lambda-powertools\/(logger|metrics)$/, BUILT_IN],
  },
  {
    name: "shared/memory",
    holds: /^shared\/memory\//,
    ours: inside("shared/geo", "shared/ports", "shared/memory"),
    packages: [BUILT_IN],
  },
  {
    name: "shared/lambda",
    holds: /^shared\/lambda\//,
    ours: inside("shared/geo", "shared/ports", "shared/lambda"),
    packages: [ZOD, LAMBDA_TYPES, /^p-map$/],
  },
  {
    name: "shared/config",
    holds: /^shared\/config\//,
    ours: inside("shared/geo", "shared/replicables", "shared/config"),
    packages: [ZOD],
  },
  {
    name: "shared/client",
    holds: /^shared\/client\//,
    ours: inside("shared/geo", "shared/replicables", "shared/client"),
    packages: [ZOD],
  },
];

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

/** What a file imports, types and re-exports included. Relies on the formatter: a statement begins its line. */
export const importsOf = (source: string): readonly Import[] => [
  ...[...source.matchAll(/^(?:import|export)\b(\s+type\b(?!\s*,|\s+from))?[^;"]*?\bfrom\s+"([^"]+)"/gm)].map(
    ([, type, from = ""]) => ({ from, typeOnly: type !== undefined }),
  ),
  ...[...source.matchAll(/^import\s+"([^"]+)"/gm)].map(([, from = ""]) => ({ from, typeOnly: false })),
  ...[...source.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)].map(([, from = ""]) => ({ from, typeOnly: false })),
];

/** The code without its comments, in which anything may be mentioned. */
const withoutComments = (source: string): string =>
  source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");

const mayImport = (room: Room, path: string, target: string): boolean => {
  const [own] = /^functions\/[^/]+\//.exec(path) ?? [];
  if (room.name === "functions/<x>" && own !== undefined && target.startsWith(own)) return true;
  return room.ours.some((pattern) => pattern.test(target));
};

/** What is wrong with a file, one line each; empty when it keeps to its room. */
export const violationsOf = (path: string, source: string): readonly string[] => {
  const room = ROOMS.find(({ holds }) => holds.test(path));
  if (room === undefined) return [`${path} is in no room of the table`];
  const imports = importsOf(source).flatMap(({ from, typeOnly }): readonly string[] => {
    if (from.startsWith(".")) {
      const target = normalize(join(dirname(path), from));
      return mayImport(room, path, target) ? [] : [`${path} (${room.name}) may not import ${target}`];
    }
    if (!room.packages.some((pattern) => pattern.test(from))) return [`${path} (${room.name}) may not import ${from}`];
    // There is no such package at run time, only its types.
    return LAMBDA_TYPES.test(from) && !typeOnly ? [`${path} may import no more than types from ${from}`] : [];
  });
  const code = withoutComments(source);
  const mentions = (room.never ?? []).flatMap(({ pattern, because }) =>
    pattern.test(code) ? [`${path} (${room.name}) ${because}: ${pattern.exec(code)?.[0] ?? ""}`] : [],
  );
  return [...imports, ...mentions];
};
