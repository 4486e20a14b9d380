import { createCipheriv, createHash } from "node:crypto";
import { crc32, deflateSync, gzipSync } from "node:zlib";
import { buildKey, type KeyPattern } from "../../shared/geo/key-pattern.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { Upload, UploadChecksum } from "./demo-bucket.ts";

/**
 * The files of the demonstration: real content of several kinds, from nothing to over 100 MB, under ordinary names and
 * under every kind of name that S3 allows and software gets wrong. The same seed makes the same files.
 */
export interface DemoFile {
  readonly key: string;
  readonly replicableName: string;
  /** Makes the upload; large bodies exist only while they are sent. */
  upload(): Upload;
}

/** What the demonstration needs to know of a type. */
export interface DemoType {
  readonly name: string;
  readonly pattern: KeyPattern;
}

/** Of the declared types, those that are shown: a few that are on by default. All of them would take minutes and show no more. */
const SHOWN: ReadonlySet<string> = new Set([
  "job_artifact",
  "lfs_object",
  "package_file",
  "packages_nuget_symbol",
  "pages_deployment",
]);

/** The types that the demonstration puts files of; where an installation has none of the usual ones, its first five. */
export const demoTypes = (replicables: readonly Replicable[]): readonly DemoType[] => {
  const usual = replicables.filter(({ name }) => SHOWN.has(name));
  const placed = replicables.filter(({ partitioned }) => !partitioned).slice(0, SHOWN.size);
  return (usual.length > 0 ? usual : placed).map(({ name, keyPattern }) => ({ name, pattern: keyPattern }));
};

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** Sizes in bytes around which software breaks: nothing, one, block and part boundaries, and beyond a hundred million. */
const BOUNDARY_SIZES = [
  0,
  1,
  2,
  15,
  16,
  17,
  63,
  64,
  65,
  255,
  256,
  257,
  1_023,
  1_024,
  1_025,
  4_095,
  4_096,
  4_097,
  65_535,
  65_536,
  65_537,
  262_143,
  262_144,
  262_145,
  MIB - 1,
  MIB,
  MIB + 1,
  5 * MIB - 1,
  5 * MIB,
  5 * MIB + 1,
  8 * MIB,
  16 * MIB + 1,
  105_000_000,
] as const;

/** File names that are allowed and hurt. `{room}` is filled up to the longest key that S3 takes. */
const HOSTILE_NAMES = [
  "two words.txt",
  " leading and trailing ",
  "plus+sign.txt",
  "100% sure.txt",
  "%41 is not A.txt",
  "already%20encoded%2Fname.txt",
  "..",
  "quote\"'`.txt",
  "<tag>&amp;.xml",
  "=cmd|calc.csv",
  "$(touch pwned);`id`.sh",
  "back\\slash\\path.txt",
  "question?mark#hash&and=equals.txt",
  "{braces}[brackets]^~|.txt",
  "semi;colon:comma,at@bang!star*.txt",
  "tab\tnewline\ncarriage\rreturn.txt",
  "control\u0001\u001f\u007f.txt",
  "non\u00a0breaking\u200bzero\u202eright-to-left.txt",
  "Ünïcödé-größe.txt",
  "日本語のファイル名.txt",
  "العربية.txt",
  "🚀 rocket 👩‍👩‍👧.png",
  "cafe\u0301 is not café.txt",
  "café is not cafe\u0301.txt",
  "\ufffe\uffff noncharacters.txt",
  "a{room}",
  "日{room}",
] as const;

/** Rests of keys, for types whose last part may hold slashes. */
const HOSTILE_PATHS = [
  "../../../etc/passwd",
  "./a/./b.txt",
  "a//double//slash.txt",
  "/leading-slash.txt",
  "folder/",
  "a/../b/../c.txt",
  "con/prn/aux/nul.txt",
  "deep/" + "d/".repeat(60) + "file.txt",
] as const;

/** Ordinary files for each type beside the special ones. */
const ORDINARY_PER_TYPE = 42;

/** Numbers in [0, 2^32) that depend on nothing but their names. */
const numberFrom = (...parts: readonly (string | number)[]): number =>
  createHash("sha256").update(parts.join("\u0000")).digest().readUInt32BE(0);

const pick = <Choice>(choices: readonly [Choice, ...Choice[]], number: number): Choice =>
  choices[number % choices.length] ?? choices[0];

/** Bytes without any pattern, fast: a key stream. */
const noise = (size: number, seed: string): Buffer => {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
};

const WORDS =
  "object bucket replica primary secondary version marker lease region checksum verified copied synced".split(" ");

const prose = (size: number, seed: string): Buffer => {
  const sentence = Array.from({ length: 64 }, (_, index) => WORDS[numberFrom(seed, index) % WORDS.length]).join(" ");
  return Buffer.alloc(size, `${sentence}.\n`);
};

const chunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
};

/** A real picture that a viewer opens: grey noise, `side` pixels wide and high. */
const png = (side: number, seed: string): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.writeUInt8(8, 8); // bits per sample, greyscale
  const pixels = noise(side * (side + 1), seed);
  for (let row = 0; row < side; row += 1) pixels[row * (side + 1)] = 0; // no filter on this row
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
};

interface Kind {
  readonly extension: string;
  readonly contentType: string;
  readonly contentEncoding?: string;
  /** About `size` bytes. */
  make(size: number, seed: string): Buffer;
}

const KINDS: readonly [Kind, ...Kind[]] = [
  { extension: "txt", contentType: "text/plain; charset=utf-8", make: prose },
  {
    extension: "png",
    contentType: "image/png",
    make: (size, seed) => png(Math.max(1, Math.floor(Math.sqrt(size))), seed),
  },
  {
    extension: "json",
    contentType: "application/json",
    make: (size, seed) =>
      Buffer.from(JSON.stringify({ seed, payload: noise(Math.ceil(size / 2), seed).toString("hex") })),
  },
  {
    extension: "log.gz",
    contentType: "text/plain",
    contentEncoding: "gzip",
    make: (size, seed) => gzipSync(Buffer.concat([prose(size, seed), noise(size, seed)])),
  },
  { extension: "bin", contentType: "application/octet-stream", make: noise },
];

const EXACT: Kind = { extension: "bin", contentType: "application/octet-stream", make: noise };

const CHECKSUMS: readonly [UploadChecksum, ...UploadChecksum[]] = ["CRC64NVME", "CRC32", "SHA256"];
const STORAGE_CLASSES: readonly [string, ...string[]] = ["STANDARD", "STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING"];

/** The parts of a key that do not say which file it is: numbers, for a namespace, a group, a project. */
const attributesFor = (type: DemoType, id: number, name: string): Record<string, string> => {
  const { pattern } = type;
  const last = pattern.rest ?? pattern.placeholders.findLast((placeholder) => placeholder !== "id");
  return Object.fromEntries(
    pattern.placeholders.map((placeholder) => [
      placeholder,
      placeholder === "id" ? String(id) : placeholder === last ? name : String(1 + (id % 9)),
    ]),
  );
};

const keyFor = (type: DemoType, id: number, name: string): string => {
  if (!name.includes("{room}")) return buildKey(type.pattern, attributesFor(type, id, name));
  const filler = name.slice(0, name.indexOf("{room}"));
  const room = 1_024 - Buffer.byteLength(buildKey(type.pattern, attributesFor(type, id, "x"))) + 1;
  const filled = filler.repeat(Math.floor(room / Buffer.byteLength(filler)));
  const exact = filled + "x".repeat(room - Buffer.byteLength(filled));
  return buildKey(type.pattern, attributesFor(type, id, exact));
};

const fileOf = (type: DemoType, id: number, name: string, kind: Kind, size: number, seed: string): DemoFile => {
  const key = keyFor(type, id, name);
  const chance = numberFrom(seed, key);
  return {
    key,
    replicableName: type.name,
    upload: () => ({
      key,
      body: kind.make(size, `${seed}/${key}`),
      headers: {
        contentType: kind.contentType,
        ...(kind.contentEncoding === undefined ? {} : { contentEncoding: kind.contentEncoding }),
        ...(chance % 5 === 0 ? { cacheControl: "max-age=3600, private" } : {}),
        ...(chance % 7 === 0 ? { contentDisposition: 'attachment; filename="report.bin"' } : {}),
        ...(chance % 11 === 0 ? { contentLanguage: "de-CH" } : {}),
      },
      metadata:
        chance % 3 === 0
          ? { uploader: `user-${chance % 100}`, "original-name": encodeURIComponent(name).slice(0, 200) }
          : {},
      tags: chance % 4 === 0 ? { project: `p${chance % 10}`, "needs review": "yes + no = maybe" } : {},
      storageClass: pick(STORAGE_CLASSES, chance >>> 4),
      checksum: pick(CHECKSUMS, chance >>> 8),
    }),
  };
};

/**
 * The files, spread over these types: every boundary size, every hostile name, and ordinary ones.
 *
 * @param seed decides content and which file carries what beside it.
 * @param firstId ids count up from here, so that two runs against one cloud do not meet.
 */
export const demoFiles = (types: readonly DemoType[], seed: string, firstId = 1): readonly DemoFile[] => {
  if (types.length === 0) throw new Error("the demonstration needs at least one type");
  const typeAt = (index: number): DemoType => types[index % types.length] as DemoType;
  let id = firstId;
  const next = (): number => (id += 1) - 1;
  const withRest = types.filter((type) => type.pattern.rest !== undefined);
  const named = types.filter((type) => type.pattern.placeholders.length > 1);
  const nameAt = (index: number): DemoType =>
    named.length === 0 ? typeAt(index) : (named[index % named.length] as DemoType);

  const sizes = BOUNDARY_SIZES.map((size, index) =>
    fileOf(typeAt(index), next(), `${size}-bytes.bin`, EXACT, size, seed),
  );
  const hostile = HOSTILE_NAMES.map((name, index) => fileOf(nameAt(index), next(), name, EXACT, 64 + index, seed));
  const paths = HOSTILE_PATHS.flatMap((path, index) =>
    withRest.length === 0
      ? []
      : [fileOf(withRest[index % withRest.length] as DemoType, next(), path, EXACT, 128 + index, seed)],
  );
  const ordinary = types.flatMap((type) =>
    Array.from({ length: Math.max(ORDINARY_PER_TYPE, Math.ceil(240 / types.length)) }, (_, index) => {
      const kind = pick(KINDS, index);
      const size = 200 + (numberFrom(seed, type.name, index) % (index % 10 === 0 ? 200 * KIB : 8 * KIB));
      return fileOf(type, next(), `file-${index}.${kind.extension}`, kind, size, seed);
    }),
  );
  return [...sizes, ...hostile, ...paths, ...ordinary];
};
