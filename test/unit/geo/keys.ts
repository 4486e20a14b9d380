import { Buffer } from "node:buffer";
import * as fc from "fast-check";

/** Keys that have broken somebody's tool. */
export const HOSTILE_KEYS: readonly string[] = [
  " ",
  " leading and trailing ",
  "a+b",
  "100%",
  "%25",
  "%2F",
  "..",
  "../../etc/passwd",
  "a//b",
  "/a",
  "a/",
  "/",
  "a\\b",
  "quote\"s and 's",
  "<tag>&amp;",
  "line\nfeed\r\n",
  "nul\u0000bell\u0007",
  "\uFFFE\uFFFF",
  "\u202Etxt.exe",
  "e\u0301 is not \u00e9",
  "日本語/ファイル.txt",
  "😀/𝒳.bin",
  "a?b#c=d&e;f",
  "{id}",
  "__proto__",
  "x".repeat(1_024),
];

const isKey = (text: string): boolean => text !== "" && Buffer.byteLength(text) <= 1_024;

const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(" ", "+", "%", ".", "/", "a", "2", "F", "\u0000", "\uFFFF", "é", "😀"),
    maxLength: 20,
  }),
  fc.constantFrom(...HOSTILE_KEYS),
);

/** Any key that S3 takes, mostly nasty ones: well-formed, 1 to 1,024 bytes. */
export const anyKey: fc.Arbitrary<string> = fc
  .array(piece, { minLength: 1, maxLength: 5 })
  .map((pieces) => pieces.join("").toWellFormed())
  .filter(isKey);
