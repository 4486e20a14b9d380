import { expect, test } from "vitest";
import { flushing } from "../../../shared/lambda/flushing.ts";

test("metrics are written out after an invocation, also after one that fails", async () => {
  const order: string[] = [];
  const telemetry = { flush: () => void order.push("flush") };
  const handler = flushing(telemetry, (event: string) => {
    order.push(event);
    return event === "bad" ? Promise.reject(new Error("bad")) : Promise.resolve("done");
  });
  expect(await handler("good")).toBe("done");
  await expect(handler("bad")).rejects.toThrow("bad");
  expect(order).toEqual(["good", "flush", "bad", "flush"]);
});
