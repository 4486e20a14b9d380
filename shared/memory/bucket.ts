import { createHash } from "node:crypto";
import type { ContentHeaders, StoredChecksum } from "../geo/object-facts.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import { type BucketEventName, notificationBody } from "./bucket-event.ts";
import { crc64nvmeBase64 } from "./crc64nvme.ts";
import { compareUtf8 } from "../geo/utf8-order.ts";

/** The longest key that S3 takes, in bytes of UTF-8. */
const KEY_BYTES_MAX = 1_024;

/** What S3 says of an object whose uploader said nothing. */
const DEFAULT_CONTENT_TYPE = "binary/octet-stream";

/** Classes whose bytes must be restored before they can be read or copied. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** What a version holds and what stands beside it. Never changed in place. */
export interface ObjectContent {
  readonly body: Uint8Array;
  /** Quoted. */
  readonly etag: string;
  readonly checksum?: StoredChecksum;
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers: ContentHeaders;
  readonly storageClass: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Encrypted with a customer's key: nothing about it is told to whoever does not bring the key. */
  readonly customerKey: boolean;
  /** The bytes are in an archive class and no restored copy exists. */
  readonly archived: boolean;
}

export interface StoredObject extends ObjectContent {
  readonly kind: "object";
  readonly versionId: string;
  /** Milliseconds since the epoch, in whole seconds as S3 tells it. */
  readonly lastModified: number;
}

export interface DeleteMarker {
  readonly kind: "delete_marker";
  readonly versionId: string;
  readonly lastModified: number;
}

export type Version = StoredObject | DeleteMarker;

export interface PutOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly headers?: ContentHeaders;
  readonly tags?: Readonly<Record<string, string>>;
  /** Default `STANDARD`. */
  readonly storageClass?: string;
  /** Default false. */
  readonly customerKey?: boolean;
  /**
   * What S3 keeps as the checksum. By default a CRC64NVME over the content, as for every upload that brings none;
   * `sha256` stands for an upload that brought one; `none` for an object from before S3 kept any. A value given in full
   * is kept as it is, right or wrong: for composite checksums, and for tests of what happens then.
   */
  readonly checksum?: "crc64nvme" | "sha256" | "none" | StoredChecksum;
}

export interface MemoryBucketOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Appears in notifications. Default `us-east-1`. */
  readonly region?: string;
}

/** Everything that a bucket holds; plain data. */
export interface BucketState {
  /** Keys with their versions, oldest first. */
  readonly objects: readonly (readonly [string, readonly Version[]])[];
  readonly sequence: number;
}

/**
 * A bucket with versioning on, as S3 keeps one: a stack of versions per key, delete markers, tags, stored checksums,
 * notifications. It is the world's side; what the product may do with it is in `readable-bucket.ts` and
 * `replica-bucket.ts`, what people do to it is here.
 */
export class MemoryBucket {
  readonly name: string;
  readonly region: string;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #listeners = new Set<(body: string) => void>();
  #objects = new Map<string, readonly Version[]>();
  #sequence = 0;
  #sortedKeys: readonly string[] | undefined;

  constructor(options: MemoryBucketOptions) {
    this.name = options.name;
    this.region = options.region ?? "us-east-1";
    this.#clock = options.clock;
    this.#chance = options.chance;
  }

  /** Somebody uploads an object; it becomes the key's current version. */
  put(key: string, body: Uint8Array | string, options: PutOptions = {}): StoredObject {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const storageClass = options.storageClass ?? "STANDARD";
    const checksum = storedChecksum(bytes, options.checksum ?? "crc64nvme");
    return this.store(key, "ObjectCreated:Put", {
      body: bytes,
      etag: `"${createHash("md5").update(bytes).digest("hex")}"`,
      ...(checksum === undefined ? {} : { checksum }),
      metadata: lowerCased(options.metadata ?? {}),
      headers: { contentType: DEFAULT_CONTENT_TYPE, ...options.headers },
      storageClass,
      tags: options.tags ?? {},
      customerKey: options.customerKey ?? false,
      archived: ARCHIVE_CLASSES.has(storageClass),
    });
  }

  /** Makes `content` the key's current version under a new id. Content from elsewhere keeps its checksum: S3 does so. */
  store(key: string, event: Extract<BucketEventName, `ObjectCreated:${string}`>, content: ObjectContent): StoredObject {
    checkObjectKey(key);
    const version: StoredObject = { ...content, kind: "object", ...this.identity() };
    this.#replace(key, [...this.versions(key), version]);
    this.#announce(event, key, version);
    return version;
  }

  /** Somebody deletes the key without naming a version: a marker becomes current. Works on an absent key, too. */
  deleteCurrent(key: string): DeleteMarker {
    checkObjectKey(key);
    const marker: DeleteMarker = { kind: "delete_marker", ...this.identity() };
    this.#replace(key, [...this.versions(key), marker]);
    this.#announce("ObjectRemoved:DeleteMarkerCreated", key, marker);
    return marker;
  }

  /** Somebody destroys one version or takes one marker away; what was under it becomes current again (R3). */
  deleteVersion(key: string, versionId: string): void {
    const versions = this.versions(key);
    const found = versions.find((version) => version.versionId === versionId);
    if (found === undefined) return;
    this.#replace(
      key,
      versions.filter((version) => version !== found),
    );
    this.#announce("ObjectRemoved:Delete", key, found);
  }

  /** Somebody replaces the tags of the current version, which stays the same version. */
  putTags(key: string, tags: Readonly<Record<string, string>>): void {
    const tagged = this.#change(key, this.current(key)?.versionId, { tags });
    this.#announce("ObjectTagging:Put", key, tagged);
  }

  /** A lifecycle rule moves the current version into an archive: the same version, told to nobody. */
  archive(key: string): void {
    this.#change(key, this.current(key)?.versionId, { storageClass: "GLACIER", archived: true });
  }

  /** The archived current version has been restored: its bytes can be read for a while. */
  restore(key: string): void {
    this.#change(key, this.current(key)?.versionId, { archived: false });
  }

  /** Bytes rot: a version reads differently from now on, and nothing that S3 says about it changes. */
  corrupt(key: string, versionId: string, body: Uint8Array): void {
    this.#change(key, versionId, { body });
  }

  /** The newest version of the key, which may be a marker. */
  current(key: string): Version | undefined {
    return this.versions(key).at(-1);
  }

  /** One version with content; undefined when there is none or when it is a marker. */
  version(key: string, versionId: string): StoredObject | undefined {
    const found = this.versions(key).find((version) => version.versionId === versionId);
    return found?.kind === "object" ? found : undefined;
  }

  /** All versions and markers of the key, oldest first. */
  versions(key: string): readonly Version[] {
    return this.#objects.get(key) ?? [];
  }

  /** Keys whose current version is an object, in S3's order. */
  keys(): readonly string[] {
    this.#sortedKeys ??= [...this.#objects.keys()]
      .filter((key) => this.current(key)?.kind === "object")
      .sort(compareUtf8);
    return this.#sortedKeys;
  }

  /** Keys that have any version or marker at all. */
  everyKey(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /**
   * Calls `listener` with the body of every notification from now on.
   * @returns a function that ends it.
   */
  onEvent(listener: (body: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A snapshot. Versions are never changed in place, so taking one is cheap. */
  export(): BucketState {
    return { objects: [...this.#objects], sequence: this.#sequence };
  }

  /** Goes back to a snapshot; nobody is notified of it. */
  import(state: BucketState): void {
    this.#objects = new Map(state.objects);
    this.#sequence = state.sequence;
    this.#sortedKeys = undefined;
  }

  /** A fresh id, and the time as S3 tells it: of a version, or of whatever else is made here. */
  identity(): { readonly versionId: string; readonly lastModified: number } {
    return { versionId: this.#chance.token(), lastModified: Math.floor(this.#clock.now() / 1_000) * 1_000 };
  }

  #replace(key: string, versions: readonly Version[]): void {
    if (versions.length === 0) this.#objects.delete(key);
    else this.#objects.set(key, versions);
    this.#sortedKeys = undefined;
  }

  #change(key: string, versionId: string | undefined, change: Partial<ObjectContent>): StoredObject {
    const versions = this.versions(key);
    const at = versions.findIndex((version) => version.versionId === versionId);
    const found = versions[at];
    if (found?.kind !== "object") throw new Error(`${this.name}/${key} has no such version: ${versionId}`);
    const changed: StoredObject = { ...found, ...change };
    this.#replace(key, versions.with(at, changed));
    return changed;
  }

  #announce(name: BucketEventName, key: string, version: Version): void {
    this.#sequence += 1;
    if (this.#listeners.size === 0) return;
    const created = version.kind === "object" && !name.startsWith("ObjectRemoved");
    const body = notificationBody({
      name,
      bucket: this.name,
      region: this.region,
      time: this.#clock.now(),
      key,
      versionId: version.versionId,
      requestId: this.#chance.token(),
      ...(created ? { size: version.body.byteLength, etag: version.etag.replaceAll('"', "") } : {}),
      ...(name.startsWith("ObjectTagging") ? {} : { sequencer: sequencer(this.#sequence) }),
    });
    for (const listener of this.#listeners) listener(body);
  }
}

/** Names of user metadata are header names, and come back in lower case. */
const lowerCased = (metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));

const sequencer = (sequence: number): string => sequence.toString(16).toUpperCase().padStart(16, "0");

const storedChecksum = (body: Uint8Array, wanted: NonNullable<PutOptions["checksum"]>): StoredChecksum | undefined => {
  switch (wanted) {
    case "none":
      return undefined;
    case "crc64nvme":
      return { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: crc64nvmeBase64(body) };
    case "sha256":
      return { algorithm: "SHA256", type: "FULL_OBJECT", value: createHash("sha256").update(body).digest("base64") };
    default:
      return wanted;
  }
};

const checkObjectKey = (key: string): void => {
  const bytes = Buffer.byteLength(key);
  if (bytes < 1 || bytes > KEY_BYTES_MAX || !key.isWellFormed()) {
    throw new Error(`An object key takes 1 to ${KEY_BYTES_MAX} bytes of well-formed text, got ${bytes}`);
  }
};
