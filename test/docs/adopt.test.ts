import { describe, expect, test } from "vitest";
import { CHANGES_OF_A_BUCKET, CHANGES_OF_A_REPLICA } from "../../shared/geo/reported-changes.ts";
import { textOf } from "./support/repository.ts";
import { shellBlocks } from "./support/shell.ts";

const page = textOf("docs/adopt.md");

/** The events that a block of commands puts rules for. */
const eventsPutTo = (destination: string): readonly string[] =>
  shellBlocks(page)
    .filter(({ text }) => text.includes(destination))
    .flatMap(({ text }) => [...text.matchAll(/"(s3:[^"]+)"/g)].map(([, event = ""]) => event));

describe("docs/adopt.md puts lost notification rules back", () => {
  test.each([
    ["the primary's bucket", "TopicArn", CHANGES_OF_A_BUCKET],
    ["a bucket of replicas", "QueueArn", CHANGES_OF_A_REPLICA],
  ])("of %s: those that a deployment sets", (_, destination, events) => {
    expect(eventsPutTo(destination)).toEqual([...events]);
  });
});
