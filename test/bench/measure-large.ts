import { createCipheriv, createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { bytesOf, planParts, type PartPlan } from "../../shared/geo/part-plan.ts";
import { peakMemoryOf } from "../support/cloud-memory.ts";
import { operationOf, placeOf } from "../support/wire/operation.ts";
import { listFunctions, tapFunction } from "../support/wire/tapped-functions.ts";
import { atMost, type Bar } from "./bars.ts";
import { benchKeys, type BenchWorld, isVerified, keyPrefix, lookUntil, registryRows, warmUp } from "./bench-world.ts";
import { startCountingProxy } from "./counting-proxy.ts";

/** What one large object took, from its first byte at the primary until its replica was read back. */
export interface LargeFigures {
  readonly bytes: number;
  /** Parts that it should have been copied in, and that the replica says it has. */
  readonly parts: { readonly planned: number; readonly copied: number };
  readonly seconds: {
    readonly put: number;
    /** Since it was put: until the registry called it synced, and verified by reading both sides. */
    readonly synced: number;
    readonly verified: number;
    /** Reading the replica once more, here. */
    readonly readBack: number;
  };
  readonly verified: boolean;
  /** Whether what was read back is what was put, byte for byte (SHA-256). */
  readonly same: boolean;
  /** Requests to S3 of the function that copied, by operation. */
  readonly requests: Readonly<Record<string, number>>;
  /** The most memory that the cloud's process has had, bytes; undefined where the machine does not say. */
  readonly cloudPeakBytes: number | undefined;
}

const GIB = 1024 ** 3;

/** The groups of keys that are used. */
const GROUPS = { warm: 95, large: 96 } as const;

/** A large object may take so long for each GiB, milliseconds: some times what two cores with other work on them took. */
const LIMIT_MS_PER_GIB = 8 * 60_000;

const PART_KEY = Buffer.alloc(16, "large object's key");

/** Bytes that look like chance, the same ones for the same part each time. */
const contentOf = (plan: PartPlan, number: number): Buffer => {
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(number);
  return createCipheriv("aes-128-ctr", PART_KEY, counter).update(Buffer.alloc(bytesOf(plan, number)));
};

/** Puts an object a part at a time; its digest. */
const putLarge = async (
  { primary: { s3 }, names: { bucket: Bucket } }: BenchWorld,
  Key: string,
  plan: PartPlan,
  detail: (text: string) => void,
): Promise<string> => {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const digest = createHash("sha256");
  const Parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  for (let PartNumber = 1; PartNumber <= plan.parts; PartNumber += 1) {
    detail(`putting part ${PartNumber} of ${plan.parts}`);
    const Body = contentOf(plan, PartNumber);
    digest.update(Body);
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  return digest.digest("hex");
};

const digestOfReplica = async (
  { secondary: { s3 }, names: { secondary } }: BenchWorld,
  Key: string,
): Promise<{ readonly digest: string; readonly parts: number }> => {
  const target = { Bucket: secondary.bucket, Key };
  const { ETag } = await s3.send(new HeadObjectCommand(target));
  const { Body } = await s3.send(new GetObjectCommand(target));
  const digest = createHash("sha256");
  // On Node the body is a readable stream of Buffers; the SDK's type covers browsers, too.
  for await (const chunk of Body as AsyncIterable<Uint8Array>) digest.update(chunk);
  return { digest: digest.digest("hex"), parts: Number(/-(\d+)"$/.exec(ETag ?? "")?.[1] ?? 1) };
};

/** Seconds since then, to a tenth. */
const since = (start: number): number => Math.round((Date.now() - start) / 100) / 10;

/** Puts one object of `gib` GiB, has the sites copy and verify it, and reads the replica back. */
export const measureLarge = async (
  world: BenchWorld,
  gib: number,
  detail: (text: string) => void,
): Promise<LargeFigures> => {
  const { cloud, deployment } = world;
  const secondaryRegion = deployment.config.secondaries[0]?.region ?? "";
  const bytes = Math.round(gib * GIB);
  const plan = planParts(bytes);
  const [key] = benchKeys(GROUPS.large, 1);
  if (plan === undefined || key === undefined) throw new RangeError(`no upload takes ${bytes} bytes`);
  const requests: Record<string, number> = {};
  const proxy = await startCountingProxy(cloud.endpoint ?? "", (exchange) => {
    if (placeOf(exchange).key !== key) return;
    const operation = operationOf(exchange) ?? "unknown";
    requests[operation] = (requests[operation] ?? 0) + 1;
  });
  try {
    const functions = await listFunctions(cloud, [secondaryRegion], deployment.config.name);
    for (const one of functions) {
      if (one.name.endsWith("-event-consumer")) await tapFunction(cloud, one, proxy.endpoint);
    }
    detail("warming up");
    await warmUp(world, GROUPS.warm);
    const putting = Date.now();
    const digest = await putLarge(world, key, plan, detail);
    const put = since(putting);

    const putAt = Date.now();
    const limitMs = gib * LIMIT_MS_PER_GIB;
    const row = async () => (await registryRows(world, keyPrefix(GROUPS.large))).get(key);
    detail("waiting until it is copied");
    await lookUntil(row, (now) => now?.state === "synced", limitMs);
    const synced = since(putAt);
    detail("waiting until it is verified");
    const { done: verified } = await lookUntil(row, isVerified, limitMs);
    const verifiedIn = since(putAt);

    detail("reading it back");
    const reading = Date.now();
    const replica = verified ? await digestOfReplica(world, key) : { digest: "", parts: 0 };
    return {
      bytes,
      parts: { planned: plan.parts, copied: replica.parts },
      seconds: { put, synced, verified: verifiedIn, readBack: since(reading) },
      verified,
      same: replica.digest === digest,
      requests,
      cloudPeakBytes: await peakMemoryOf(cloud.endpoint ?? ""),
    };
  } finally {
    await proxy.stop();
  }
};

/** What has to hold of a large object, however long it takes. */
export const largeBars = ({ parts, verified, same, requests }: LargeFigures): readonly Bar[] => [
  atMost("large objects that were not verified", 0, verified ? 0 : 1),
  atMost("large objects whose replica is another", 0, same ? 0 : 1),
  atMost(
    "parts that the replica of a large object has more or less than planned",
    0,
    Math.abs(parts.copied - parts.planned),
  ),
  atMost("large objects that were copied in one request", 0, requests["CopyObject"] ?? 0),
];
