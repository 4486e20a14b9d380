import { expect, test } from "vitest";
import { missing, secondary } from "../support/cloud.ts";
import { objectAt, putOnPrimary, uniqueKey, verified } from "./support/objects.ts";

/** File names that S3 allows and software gets wrong. */
const NAMES: readonly string[] = [
  "two words.txt",
  "plus+sign.txt",
  "100%.txt",
  "%41 is not A",
  "already%20encoded",
  "..",
  "../../escape.txt",
  "./dot.txt",
  "a//b///c",
  "/leading",
  "folder/",
  "quote\"'`&<>.xml",
  "back\\slash",
  "q?m#h&a=b",
  "tab\tline\nreturn\r",
  "control\u0001\u001f\u007f",
  "日本語 🚀",
  "cafe\u0301",
  "café",
  "\u202ereversed",
  "\ufffe",
];

const longestKey = (filler: string): string => {
  const start = uniqueKey("");
  const room = 1_024 - Buffer.byteLength(start);
  const filled = filler.repeat(Math.floor(room / Buffer.byteLength(filler)));
  return start + filled + "x".repeat(room - Buffer.byteLength(filled));
};

const replicaOf = async (key: string) => {
  await putOnPrimary(key, `body of ${key}`);
  await verified(key);
  return objectAt(secondary, key);
};

test.concurrent.for(NAMES.map((name) => ({ name, shown: JSON.stringify(name) })))(
  "an object called $shown arrives under the same name",
  async ({ name }, context) => {
    const reason = missing("event-key-encoding");
    // Without AWS's encoding an event about "a+b" can not be told from one about "a b".
    if (reason !== undefined && /[+%]/.test(name)) context.skip(reason);
    const key = uniqueKey(name);
    expect(await replicaOf(key)).toMatchObject({ text: `body of ${key}` });
  },
);

test.concurrent.each(["a", "日"])("a key of 1,024 bytes of %s arrives", async (filler) => {
  const key = longestKey(filler);
  expect(Buffer.byteLength(key)).toBe(1_024);
  expect(await replicaOf(key)).toMatchObject({ text: `body of ${key}` });
});
