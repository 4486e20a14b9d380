import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBatches, sendInBatches } from "../../../shared/aws/message-batches.ts";

const messages = fc.array(
  fc.string({ maxLength: 40 }).map((body) => ({ body })),
  { maxLength: 60 },
);

describe("batches", () => {
  it("hold every message once and in order, at most ten and no more bytes than allowed", () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 50, max: 200 }), (all, bytesMax) => {
        const batches = packBatches(all, bytesMax);
        expect(batches.flat().map(({ position }) => position)).toEqual(all.map((_message, position) => position));
        for (const batch of batches) {
          const bytes = batch.reduce((sum, { message }) => sum + Buffer.byteLength(message.body), 0);
          expect(batch.length).toBeLessThanOrEqual(10);
          expect(batch.length === 1 || bytes <= bytesMax).toBe(true);
        }
      }),
    );
  });

  it("report exactly the messages whose fate is not known, by their position", async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.func(fc.constantFrom("ok", "refused", "broken")), async (all, fate) => {
        const outcome = await sendInBatches(all, 100, async (batch) => {
          if (batch.some(({ position }) => fate(position) === "broken")) throw new Error("broken");
          return batch
            .filter(({ position }) => fate(position) === "refused")
            .map(({ position }) => ({ position, reason: "refused" }));
        });
        const expected = packBatches(all, 100).flatMap((batch) => {
          const broken = batch.some(({ position }) => fate(position) === "broken");
          return batch.map(({ position }) => position).filter((position) => broken || fate(position) === "refused");
        });
        expect(outcome.outcome === "sent" ? [] : outcome.failed).toEqual(expected);
      }),
    );
  });
});
