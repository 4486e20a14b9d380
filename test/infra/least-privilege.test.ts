import { describe, expect, it } from "vitest";
import * as z from "zod";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { asText, changed, ofType, synthesize, type Template } from "./support/templates.ts";

const listed = z.union([z.unknown().array(), z.unknown().transform((one) => [one])]);

const Statement = z.object({
  Effect: z.string(),
  Action: z.union([z.string().array(), z.string().transform((one) => [one])]),
  Resource: listed,
  Condition: z.unknown().optional(),
});

const Policy = z.object({ PolicyDocument: z.object({ Statement: z.array(Statement) }), Roles: z.array(z.unknown()) });

interface Right {
  /** Logical id of the role. */
  readonly role: string;
  readonly action: string;
  readonly resource: string;
}

/** Everything that is allowed to roles, one action on one resource at a time. */
const rightsOf = (template: Template): readonly Right[] =>
  ofType(template, "AWS::IAM::Policy").flatMap(({ Properties }) => {
    const { PolicyDocument, Roles } = Policy.parse(Properties);
    return PolicyDocument.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action, Resource }) =>
      Roles.flatMap((role) =>
        Action.flatMap((action) =>
          Resource.map((resource) => ({ role: asText(role), action, resource: asText(resource) })),
        ),
      ),
    );
  });

/** Where a whole resource can not be named, and why. */
const EXCEPTIONS: readonly { readonly action: RegExp; readonly resource: RegExp; readonly why: string }[] = [
  {
    action:
      /^logs:(Create|Get|Update|Delete|List)LogDeliver(y|ies)$|^logs:(Put|Describe)ResourcePolic(y|ies)$|^logs:DescribeLogGroups$/,
    resource: /^\*$/,
    why: "AWS has log delivery for state machines only for the whole account",
  },
  {
    action:
      /^s3:(GetObject|GetObjectVersion|GetObjectTagging|GetObjectVersionTagging|GetObjectAnnotation|PutObject|PutObjectTagging|PutObjectAnnotation|DeleteObject|ListMultipartUploadParts|AbortMultipartUpload)$/,
    resource: /^arn:aws:s3:::s3-geo-[a-z]+-111122223333-[a-z0-9-]+\/\*$/,
    why: "any object of this one bucket may have to be replicated",
  },
  {
    action: /^s3:(GetObject|PutObject)$/,
    resource: /^arn:aws:s3:::s3-geo-virginia-manifests-111122223333-us-east-1\/\*$/,
    why: "manifests are named after their destroys",
  },
  {
    action: /^dynamodb:BatchGetItem$/,
    resource: /^arn:aws:dynamodb:\*:111122223333:table\/s3-geo-\*-registry$/,
    why: "secondaries come and go without a change of the primary, which looks how far they have followed a destroy",
  },
  {
    action: /^dynamodb:ListStreams$/,
    resource: /^arn:aws:dynamodb:[a-z0-9-]+:111122223333:table\/s3-geo-[a-z-]+\/stream\/\*$/,
    why: "a stream's name ends in the time it was made",
  },
  {
    action: /^states:(Describe|Stop)Execution$/,
    resource: /^arn:aws:states:[a-z0-9-]+:111122223333:execution:s3-geo-[a-z-]+:\*$/,
    why: "an execution's name is known when it is started",
  },
];

const tooWide = (template: Template): readonly string[] =>
  rightsOf(template)
    .filter(({ action, resource }) => action.includes("*") || resource.includes("*"))
    .filter(({ action, resource }) => !EXCEPTIONS.some((one) => one.action.test(action) && one.resource.test(resource)))
    .map(({ action, resource }) => `${action} on ${resource}`);

const FORBIDDEN =
  /^(s3:DeleteObjectVersion.*|s3:BypassGovernanceRetention|s3:\*|\*|s3:Delete\*|s3:PutBucket.*|s3:DeleteBucket.*)$/;

const forbidden = (template: Template): readonly string[] =>
  rightsOf(template)
    .filter(({ action }) => FORBIDDEN.test(action))
    .map(({ action }) => action);

const stacks = synthesize(config);
const templates = stacks.map(({ template }) => template);
const granted = templates.flatMap(rightsOf);

/** A right given by mistake to the first role that is found. */
const withRight = (template: Template, action: string, resource: string): Template =>
  changed(template, (copy) => {
    const [policy] = ofType(copy, "AWS::IAM::Policy");
    if (policy === undefined) throw new Error("expected a policy to widen");
    const document = policy.Properties.PolicyDocument as { Statement: unknown[] };
    document.Statement.push({ Effect: "Allow", Action: action, Resource: resource });
  });

const withPolicies = templates.find((template) => ofType(template, "AWS::IAM::Policy").length > 0) as Template;

describe("no role", () => {
  it("may destroy a version of an object, or change a bucket", () => {
    expect(templates.flatMap(forbidden)).toEqual([]);
    for (const action of ["s3:DeleteObjectVersion", "s3:*", "*", "s3:PutBucketVersioning"]) {
      expect(forbidden(withRight(withPolicies, action, "arn:aws:s3:::b/*"))).toEqual([action]);
    }
  });

  it("has a right on everything where a name is known", () => {
    expect(templates.flatMap(tooWide)).toEqual([]);
    expect(tooWide(withRight(withPolicies, "sqs:SendMessage", "*"))).toHaveLength(1);
    expect(tooWide(withRight(withPolicies, "dynamodb:*", "arn:aws:dynamodb:us-east-1:1:table/t"))).toHaveLength(1);
  });

  it("is excepted from that without need: every exception is used", () => {
    const unused = EXCEPTIONS.filter(
      ({ action, resource }) => !granted.some((right) => action.test(right.action) && resource.test(right.resource)),
    );
    expect(unused.map(({ why }) => why)).toEqual([]);
  });

  it("writes to the primary's bucket or tables from a secondary", () => {
    const secondary = stacks.find(({ name }) => name === "s3-geo-tokyo");
    const onPrimary = rightsOf(secondary?.template as Template).filter(({ resource }) => resource.includes("virginia"));
    expect([...new Set(onPrimary.map(({ action }) => action))].sort()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:Query", // what batch destroys name
      "dynamodb:UpdateItem", // its own status, and that there is such a site: see what it is for below
      "s3:GetBucketVersioning",
      "s3:GetObject",
      "s3:GetObjectAnnotation",
      "s3:GetObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging",
      "s3:ListBucket",
    ]);
  });
});

describe("each function", () => {
  it("has a role of its own, without a managed policy", () => {
    const functions = templates.flatMap((template) =>
      ofType(template, "AWS::Lambda::Function").map((one) => ({ template, ...one })),
    );
    expect(functions).toHaveLength(11 + 3 * 14);
    for (const { template, Properties } of functions) {
      const roleId = asText(Properties.Role).replace(/^\{|\.Arn\}$/g, "");
      expect(template.Resources[roleId]?.Properties.ManagedPolicyArns).toBeUndefined();
      const sharing = ofType(template, "AWS::Lambda::Function").filter(
        (other) => asText(other.Properties.Role) === asText(Properties.Role),
      );
      expect(sharing).toHaveLength(1);
    }
  });

  it("that a queue feeds may give its messages back, and nobody else's", () => {
    const changing = granted.filter(({ action }) => action === "sqs:ChangeMessageVisibility");
    const receiving = granted.filter(
      ({ action, resource }) => action === "sqs:ReceiveMessage" && !resource.endsWith("-dead-letters"),
    );
    expect(receiving.length).toBeGreaterThan(0);
    expect(changing.map(({ role, resource }) => `${role} ${resource}`).sort()).toEqual(
      receiving.map(({ role, resource }) => `${role} ${resource}`).sort(),
    );
    const addressed = new Set(
      granted.filter(({ action }) => action === "sqs:GetQueueUrl").map(({ role, resource }) => `${role} ${resource}`),
    );
    for (const { role, resource } of changing) expect(addressed).toContain(`${role} ${resource}`);
  });

  it("that takes dead letters away is the API, which an administrator asks to, and it reads no other queue", () => {
    const receiving = granted.filter(
      ({ role, action }) => role.includes("StatusApi") && action === "sqs:ReceiveMessage",
    );
    expect(receiving).toHaveLength(1 + 3 * 5);
    expect(receiving.filter(({ resource }) => !resource.endsWith("-dead-letters"))).toEqual([]);
    const letters = granted.filter(
      ({ action, resource }) => action === "sqs:DeleteMessage" && resource.endsWith("-dead-letters"),
    );
    expect(letters.filter(({ role }) => !role.includes("StatusApi"))).toEqual([]);
  });

  it("that only verifies can neither change a replica nor remove a row", () => {
    const verifying = granted.filter(({ role }) => role.includes("Verifier"));
    expect(verifying.length).toBeGreaterThan(0);
    expect(verifying.filter(({ action }) => /s3:(Put|Delete)|dynamodb:(Delete|Put)/.test(action))).toEqual([]);
  });

  it("that only notices drift looks at replicas and touches rows, and can neither change an object nor remove a row", () => {
    const noticing = granted.filter(
      ({ role, action }) => role.includes("ReplicaDrift") && !/^logs:(CreateLogStream|PutLogEvents)$/.test(action),
    );
    const flags = "dynamodb:GetItem arn:aws:dynamodb:us-east-1:111122223333:table/s3-geo-virginia-site";
    const readsFlags = ({ action, resource }: (typeof noticing)[number]) => `${action} ${resource}` === flags;
    const tokyo = noticing.filter(({ resource }) => resource.includes("tokyo"));
    expect(noticing.filter(readsFlags)).toHaveLength(3);
    expect(noticing.filter((right) => !readsFlags(right))).toHaveLength(3 * tokyo.length);
    expect(tokyo.map(({ action, resource }) => `${action} ${resource}`).sort()).toEqual([
      "dynamodb:GetItem arn:aws:dynamodb:ap-northeast-1:111122223333:table/s3-geo-tokyo-registry",
      "dynamodb:UpdateItem arn:aws:dynamodb:ap-northeast-1:111122223333:table/s3-geo-tokyo-registry",
      "s3:GetObject arn:aws:s3:::s3-geo-tokyo-111122223333-ap-northeast-1/*",
      "s3:ListBucket arn:aws:s3:::s3-geo-tokyo-111122223333-ap-northeast-1",
      "sqs:ChangeMessageVisibility arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift",
      "sqs:DeleteMessage arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift",
      "sqs:GetQueueAttributes arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift",
      "sqs:GetQueueUrl arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-geo-events",
      "sqs:GetQueueUrl arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift",
      "sqs:GetQueueUrl arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift-dead-letters",
      "sqs:ReceiveMessage arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift",
      "sqs:SendMessage arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-geo-events",
      "sqs:SendMessage arn:aws:sqs:ap-northeast-1:111122223333:s3-geo-tokyo-replica-drift-dead-letters",
    ]);
  });

  it("that walks through the primary's bucket lists it and reads no object", () => {
    const backfilling = granted.filter(
      ({ role, action }) => role.includes("VerificationBackfillWalker") && !action.startsWith("logs:"),
    );
    const state = "arn:aws:dynamodb:us-east-1:111122223333:table/s3-geo-virginia-verification-state";
    const site = "arn:aws:dynamodb:us-east-1:111122223333:table/s3-geo-virginia-site";
    const checksum = "arn:aws:sqs:us-east-1:111122223333:s3-geo-virginia-checksum";
    expect([...new Set(backfilling.map(({ action, resource }) => `${action} ${resource}`))].sort()).toEqual([
      `dynamodb:BatchGetItem ${state}`,
      `dynamodb:DeleteItem ${site}`,
      `dynamodb:DeleteItem ${state}`,
      `dynamodb:GetItem ${site}`,
      `dynamodb:PutItem ${site}`,
      `dynamodb:Query ${site}`,
      `dynamodb:Query ${state}`,
      `dynamodb:Query ${state}/index/due`,
      `dynamodb:UpdateItem ${site}`,
      `dynamodb:UpdateItem ${state}`,
      "s3:ListBucket arn:aws:s3:::s3-geo-virginia-111122223333-us-east-1",
      `sqs:GetQueueAttributes ${checksum}`,
      `sqs:GetQueueUrl ${checksum}`,
      `sqs:SendMessage ${checksum}`,
    ]);
  });

  it("that asks many rows reads rows and names them; only the primary's marks any, and none removes one", () => {
    const asking = granted.filter(
      ({ role, action }) => role.includes("BulkUpdateWorker") && !action.startsWith("logs:"),
    );
    const rightsAt = (site: string): readonly string[] => [
      ...new Set(
        asking
          .filter(({ resource }) => resource.includes(site))
          .map(({ action, resource }) => `${action} ${resource.replace(/^.*:/, "")}`),
      ),
    ];
    expect(rightsAt("tokyo").toSorted()).toEqual([
      "dynamodb:BatchGetItem table/s3-geo-tokyo-registry",
      "dynamodb:GetItem table/s3-geo-tokyo-site",
      "dynamodb:Query table/s3-geo-tokyo-registry",
      "dynamodb:Query table/s3-geo-tokyo-registry/index/due",
      "dynamodb:UpdateItem table/s3-geo-tokyo-site",
      "sqs:GetQueueAttributes s3-geo-tokyo-backfill",
      "sqs:GetQueueAttributes s3-geo-tokyo-verification",
      "sqs:GetQueueUrl s3-geo-tokyo-backfill",
      "sqs:GetQueueUrl s3-geo-tokyo-verification",
      "sqs:SendMessage s3-geo-tokyo-backfill",
      "sqs:SendMessage s3-geo-tokyo-verification",
      "states:StartExecution s3-geo-tokyo-bulk-update",
    ]);
    const marking = asking.filter(
      ({ action, resource }) => action === "dynamodb:UpdateItem" && !resource.endsWith("-site"),
    );
    expect(marking.map(({ resource }) => resource)).toEqual([
      "arn:aws:dynamodb:us-east-1:111122223333:table/s3-geo-virginia-verification-state",
    ]);
  });

  it("that only sweeps reads the due index, looks up the flags and sends, and does nothing else with data", () => {
    const sweeping = granted.filter(
      ({ role, action }) => /RetrySweepSweep|RetrySweepRole/.test(role) && !action.startsWith("logs:"),
    );
    const of = (action: string): readonly string[] =>
      sweeping
        .filter((right) => right.action === action)
        .map(({ resource }) => resource.replace(/^arn:aws:[a-z]+:[a-z0-9-]+:\d+:/, ""))
        .sort();
    expect([...new Set(sweeping.map(({ action }) => action))].sort()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:SendMessage",
      "states:DescribeExecution",
      "states:StartExecution",
    ]);
    const sites = ["ireland", "sydney", "tokyo", "virginia"];
    const siteTables = sites.map((site) => `table/s3-geo-${site}-site`);
    // What is held back and what is being drained stands in a partition of each site's own table.
    expect(of("dynamodb:Query").filter((one) => !one.endsWith("/index/due"))).toEqual(siteTables);
    expect(of("dynamodb:Query").filter((one) => one.endsWith("/index/due"))).toHaveLength(4);
    expect(new Set(of("dynamodb:GetItem"))).toEqual(new Set(siteTables)); // the flags among them
    // The primary's also says of objects that their time to be read again has come.
    expect(of("dynamodb:UpdateItem")).toEqual([...siteTables, "table/s3-geo-virginia-verification-state"]);
    expect(of("states:StartExecution")).toEqual(sites.map((site) => `stateMachine:s3-geo-${site}-retry-sweep`));
    expect(of("states:DescribeExecution")).toEqual(sites.map((site) => `execution:s3-geo-${site}-retry-sweep:*`));
  });
});

const onPartition = (action: string, partition: string): string =>
  `${action} {"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${partition}"]}}`;

const onPartitions = (action: string, beginning: string): string =>
  `${action} {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["${beginning}#*"]}}`;

/** What the API's function may do at one kind of site, with the table and the partition that it is for. */
const rightsOfApi = (primary: boolean): readonly string[] => {
  const rights = stacks
    .filter(({ name }) => (name === "s3-geo-virginia") === primary)
    .flatMap(({ template }) => ofType(template, "AWS::IAM::Policy"))
    .filter(({ Properties }) => Policy.parse(Properties).Roles.some((role) => asText(role).includes("StatusApiServer")))
    .flatMap(({ Properties }) => Policy.parse(Properties).PolicyDocument.Statement)
    .flatMap(({ Action, Resource, Condition }) =>
      Action.flatMap((action) =>
        Resource.map((resource) => {
          const table = asText(resource).endsWith("table/s3-geo-virginia-site") ? "the primary's" : "its own";
          return `${action} ${JSON.stringify(Condition ?? "")} of ${table}`;
        }),
      ),
    )
    .filter((right) => !right.startsWith("logs:"));
  return [...new Set(rights)].sort();
};

const rights = (actions: readonly string[], partition: string, table: string): readonly string[] =>
  [...new Set(actions)].map((action) => `${onPartition(action, partition)} of ${table}`);

describe("the API", () => {
  const READING = ["dynamodb:GetItem", "dynamodb:Query"];
  const CHANGING = ["dynamodb:GetItem", "dynamodb:UpdateItem"];
  const REPLACING = ["dynamodb:GetItem", "dynamodb:PutItem"];
  const KEEPING = [...READING, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
  /** On its queues and their dead letters. */
  const REDRIVING = ["DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage", "SendMessage"].map(
    (action) => `sqs:${action} "" of its own`,
  );
  const RUNNING = ['states:DescribeExecution "" of its own', 'states:StartExecution "" of its own'];

  /** The rows of its own kind: it shows them, and changes none. */
  const SHOWING = ["BatchGetItem", "GetItem", "Query"].map((action) => `dynamodb:${action} "" of its own`);

  it("of a secondary changes its settings and removal guards and asks for walks, and of the primary reads the flags", () => {
    expect(rightsOfApi(false)).toEqual(
      [
        ...SHOWING,
        ...rights(READING, "counter", "its own"),
        ...rights(CHANGING, "cursor_key", "its own"),
        ...rights(READING, "usage", "its own"),
        ...rights(KEEPING, "bulk_update", "its own"),
        ...rights(KEEPING, "idempotency", "its own"),
        ...RUNNING,
        ...REDRIVING,
        ...rights([...READING, ...CHANGING], "removal_guard", "its own"),
        ...rights([...READING, ...CHANGING], "consistency", "its own"),
        ...rights(CHANGING, "site", "its own"),
        ...rights(["dynamodb:GetItem"], "site", "the primary's"),
        ...rights(READING, "counter_audit", "its own"),
        ...rights(REPLACING, "roll_up", "its own"),
        ...["ireland", "sydney", "tokyo"].flatMap((name) => [
          ...rights(CHANGING, `status#${name}`, "its own"),
          ...rights(["dynamodb:UpdateItem"], `status#${name}`, "the primary's"),
        ]),
        ...rights(["dynamodb:GetItem"], "status#virginia", "the primary's"),
        ...rights(["dynamodb:UpdateItem"], "known_site", "the primary's"),
      ].sort(),
    );
  });

  it("of a primary changes its settings and the flags, and nothing else", () => {
    expect(rightsOfApi(true)).toEqual(
      [
        ...SHOWING,
        ...rights(READING, "counter", "the primary's"),
        ...rights(CHANGING, "cursor_key", "the primary's"),
        ...rights(READING, "usage", "the primary's"),
        ...rights(CHANGING, "site", "the primary's"),
        ...rights(KEEPING, "bulk_update", "the primary's"),
        ...rights(KEEPING, "idempotency", "the primary's"),
        ...rights(KEEPING, "destroy", "the primary's"),
        ...rights(KEEPING, "destroy_parent", "the primary's"),
        ...rights(KEEPING, "destroy_release", "the primary's"),
        ...READING.map((action) => `${onPartitions(action, "destroy_slice")} of the primary's`),
        ...rights([...READING, "dynamodb:DeleteItem"], "secondary", "the primary's"),
        ...rights(READING, "counter_audit", "the primary's"),
        ...rights(REPLACING, "roll_up", "the primary's"),
        ...rights(CHANGING, "status#virginia", "the primary's"),
        ...rights(KEEPING, "known_site", "the primary's"),
        ...["BatchGetItem", "DeleteItem"].map(
          (action) => `${onPartitions(`dynamodb:${action}`, "status")} of the primary's`,
        ),
        ...RUNNING,
        ...REDRIVING,
      ].sort(),
    );
  });
});

/** What the function may do with which a site looks at itself, at every table but for logs, with the partition. */
const rightsOfGatherer = (site: string): readonly string[] =>
  stacks
    .filter(({ name }) => name === `s3-geo-${site}`)
    .flatMap(({ template }) => ofType(template, "AWS::IAM::Policy"))
    .map(({ Properties }) => Policy.parse(Properties))
    .filter(({ Roles }) => Roles.some((role) => asText(role).includes("SiteStatusGatherer")))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource, Condition }) =>
      Action.flatMap((action) =>
        Resource.map((resource) => {
          const partition = /\["(.*)"\]/.exec(JSON.stringify(Condition ?? ""))?.[1] ?? "all of it";
          return `${action} ${partition} of ${asText(resource).replace(/^.*table\/s3-geo-/, "")}`;
        }),
      ),
    )
    .filter((right) => !right.startsWith("logs:"))
    .toSorted();

describe("a site that looks at itself (F61)", () => {
  it("reads its own counts and settings and the primary's flags, and writes no other site's status", () => {
    expect(rightsOfGatherer("tokyo")).toEqual([
      "dynamodb:GetItem counter of tokyo-site",
      "dynamodb:GetItem counter_audit of tokyo-site",
      "dynamodb:GetItem roll_up of tokyo-site",
      "dynamodb:GetItem site of tokyo-site",
      "dynamodb:GetItem site of virginia-site",
      "dynamodb:GetItem status#tokyo of tokyo-site",
      "dynamodb:GetItem status#virginia of virginia-site",
      "dynamodb:GetItem usage of tokyo-site",
      "dynamodb:PutItem roll_up of tokyo-site",
      "dynamodb:PutItem usage of tokyo-site",
      "dynamodb:Query counter of tokyo-site",
      "dynamodb:Query counter_audit of tokyo-site",
      "dynamodb:UpdateItem known_site of virginia-site",
      "dynamodb:UpdateItem status#tokyo of tokyo-site",
      "dynamodb:UpdateItem status#tokyo of virginia-site",
    ]);
  });

  it("that is the primary stays in its own table", () => {
    expect(rightsOfGatherer("virginia").filter((right) => !right.endsWith(" of virginia-site"))).toEqual([]);
  });
});

describe("a secondary that is paused (F98)", () => {
  it.each(["EventConsumer", "VerificationVerifier", "RegistryConsistencyWalker", "RetrySweepRole", "BulkUpdateWorker"])(
    "has %s look that up in its own record of itself",
    (name) => {
      const statements = stacks
        .filter((stack) => stack.name === "s3-geo-tokyo")
        .flatMap(({ template }) => ofType(template, "AWS::IAM::Policy"))
        .map(({ Properties }) => Policy.parse(Properties))
        .filter(({ Roles }) => Roles.some((role) => asText(role).includes(name)))
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      const lookingUp = statements.filter(
        ({ Action, Resource, Condition }) =>
          Action.includes("dynamodb:GetItem") &&
          Resource.some((resource) => asText(resource).endsWith("table/s3-geo-tokyo-site")) &&
          JSON.stringify(Condition ?? "").includes('["site"]'),
      );
      expect(lookingUp).not.toEqual([]);
    },
  );
});

describe("the batch destroy", () => {
  const destroying = granted.filter(
    ({ role, action }) => role.includes("BatchDestroyWorker") && !action.startsWith("logs:"),
  );

  it("hides objects of the primary's bucket and copies onto it, and destroys neither a version nor a marker", () => {
    const bucket = "arn:aws:s3:::s3-geo-virginia-111122223333-us-east-1";
    const onBucket = destroying.filter(({ resource }) => resource.startsWith(bucket)).map(({ action }) => action);
    expect([...new Set(onBucket)].sort()).toEqual([
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetBucketVersioning",
      "s3:GetObject",
      "s3:GetObjectAnnotation",
      "s3:GetObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging",
      "s3:ListBucket",
      "s3:ListBucketVersions",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
      "s3:PutObjectAnnotation",
      "s3:PutObjectTagging",
    ]);
  });

  it("reads the rows of secondaries and writes none, and changes no record of the primary's objects", () => {
    const others = destroying.filter(({ resource }) => /registry|verification-state/.test(resource));
    expect([...new Set(others.map(({ action }) => action))]).toEqual(["dynamodb:BatchGetItem"]);
  });
});

describe("rights on the site table", () => {
  it("are for one partition each: who counts or removes can not make tokens", () => {
    const statements = templates.flatMap((template) =>
      ofType(template, "AWS::IAM::Policy").flatMap(({ Properties }) =>
        Policy.parse(Properties).PolicyDocument.Statement.filter(({ Resource }) =>
          Resource.some((one) => /table\/s3-geo-[a-z]+-site$/.test(asText(one))),
        ),
      ),
    );
    const [sites, secondaries] = [4, 3];
    // The flags, in the primary's table: its checksums and each site's sweep, and of each secondary what publishes for it,
    // consumes, verifies, walks, notices drift and answers for it. (What verifies looks up its site's settings with them.)
    const flags = 1 + sites + secondaries * 6;
    // The primary's backfill keeps how far its walks have come, looks up the flags, and reads what is counted.
    const backfill = 3;
    // Each sweep reads and changes what it remembers of each type, and each secondary's consumer tells it of outcomes.
    const sweeps = sites + secondaries;
    // Each site's bulk updates look up the flags, and remember how far they came; its API keeps their requests. (Whether the
    // site is paused, they and the sweeps look up by the same right as the flags.)
    const bulks = sites * 3;
    // Each site's counter audit reads its counters and puts them right, and remembers how far it came.
    const audits = sites * 2;
    // Each site's API signs its cursors.
    const cursors = sites;
    // Each site's API remembers what it was asked under a key.
    const keyedCalls = sites;
    // The primary's batch destroy has seven, its API five of them; consumers read what is released and what it names, and
    // publishers say which secondary they feed.
    const destroys = 7 + 5 + secondaries * 2 + secondaries;
    // What copies the largest objects does all that a consumer does, but for what it tells of outcomes and of throttling.
    const largeCopies = secondaries * 6;
    // Each site looks at itself: counters, recounts, the window of its lag, its status, its settings; and what its API has of
    // that beyond the counters. A secondary looks at the primary's status, tells its own and that it is there, at both. (The
    // flags and the settings are one right.) The primary's API keeps notes of sites, and reads and removes statuses.
    const statuses = sites * (5 + 3) + secondaries * (3 + 3) + 2;
    // It keeps the ledger of its usage, which its API tells.
    const usage = sites * 2;
    expect(statements).toHaveLength(
      statuses +
        usage +
        sites * 4 +
        secondaries * 7 +
        flags +
        backfill +
        sweeps +
        bulks +
        audits +
        cursors +
        keyedCalls +
        destroys +
        largeCopies,
    );
    for (const { Condition } of statements) {
      expect(JSON.stringify(Condition)).toMatch(
        /^\{"ForAllValues:String(Equals":\{"dynamodb:LeadingKeys":\["(counter|counter_audit|token|cursor_key|removal_guard|site|consistency|retry_sweep|bulk_update|idempotency|secondary|destroy|destroy_parent|destroy_release|roll_up|known_site|usage|status#[a-z]+)"|Like":\{"dynamodb:LeadingKeys":\["(destroy_slice|destroy_versions|status)#\*")\]\}\}$/,
      );
    }
  });
});
