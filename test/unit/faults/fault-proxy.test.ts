import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FaultProxy, startFaultProxy } from "../../faults/fault-proxy.ts";
import type { Fault } from "../../faults/fault-rule.ts";

const signed = (service: string, caller = "s3-geo-ireland-event-consumer") => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  "user-agent": `aws-sdk-js/3 lang/js app/${caller}`,
});

const CONTENT = "the content of an object, from its beginning to its end";

describe("the fault proxy", () => {
  let cloud: Server;
  let proxy: FaultProxy;
  /** What reached the cloud. */
  let carriedOut: string[];

  const start = (seed = 1, ruleEndsAfterMs = 60_000): Promise<FaultProxy> =>
    startFaultProxy(`http://127.0.0.1:${(cloud.address() as AddressInfo).port}`, { seed, ruleEndsAfterMs });

  beforeEach(async () => {
    carriedOut = [];
    const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
      carriedOut.push(`${incoming.method} ${incoming.url} ${await text(incoming)}`.trim());
      outgoing.writeHead(200, { "x-amz-version-id": String(carriedOut.length) }).end(CONTENT);
    };
    cloud = createServer((incoming, outgoing) => void answer(incoming, outgoing));
    await new Promise<void>((listening) => cloud.listen(0, "127.0.0.1", listening));
    proxy = await start();
  });

  afterEach(async () => {
    await proxy.stop();
    cloud.closeAllConnections();
    await new Promise((closed) => cloud.close(closed));
  });

  const ask = async (path = "/bucket/key", init: RequestInit = {}) => {
    const response = await fetch(`${proxy.endpoint}${path}`, { headers: signed("s3"), ...init });
    return { status: response.status, body: await response.text(), version: response.headers.get("x-amz-version-id") };
  };

  /** Which of 40 requests a share is hit of. */
  const hitsOf = async (seed: number): Promise<string> => {
    await proxy.stop();
    proxy = await start(seed);
    proxy.inject({ fault: { kind: "slow_down" }, which: {}, times: 100, share: 0.3 });
    let hits = "";
    for (let asked = 0; asked < 40; asked += 1) hits += (await ask()).status === 503 ? "x" : ".";
    return hits;
  };

  test("passes on what no rule is about", async () => {
    proxy.inject({ fault: { kind: "reset" }, which: { service: "sqs" } });
    expect(await ask()).toEqual({ status: 200, body: CONTENT, version: "1" });
    expect(proxy.requestsBy().get("s3-geo-ireland-event-consumer")).toBe(1);
  });

  test.each<{ fault: Fault; reached: number }>([
    { fault: { kind: "drop_answer" }, reached: 1 },
    { fault: { kind: "reset" }, reached: 0 },
    { fault: { kind: "cut_short" }, reached: 1 },
  ])("$fault.kind fails at the one end, and reaches the other $reached times", async ({ fault, reached }) => {
    const rule = proxy.inject({ fault, which: {} });
    await expect(ask()).rejects.toThrow(/fetch failed|terminated/);
    expect(carriedOut).toHaveLength(reached);
    expect(rule.hits()).toBe(1);
    expect((await ask()).status).toBe(200);
  });

  test("a body that is cut short begins as it should, under its whole length", async () => {
    proxy.inject({ fault: { kind: "cut_short" }, which: {} });
    const response = await fetch(`${proxy.endpoint}/bucket/key`, { headers: signed("s3") });
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toBe(CONTENT.slice(0, Math.floor(CONTENT.length / 2)));
    await expect(reader?.read()).rejects.toThrow("terminated");
  });

  test("a request that is sent twice arrives twice, and the second answer is given", async () => {
    proxy.inject({ fault: { kind: "send_twice" }, which: {} });
    expect((await ask("/bucket/key", { method: "PUT", body: "x" })).version).toBe("2");
    expect(carriedOut).toEqual(["PUT /bucket/key x", "PUT /bucket/key x"]);
  });

  test.each(["s3", "sns", "sqs", "dynamodb"] as const)("%s is answered for, and never asked", async (service) => {
    proxy.inject({ fault: { kind: "slow_down" }, which: { service } });
    const { status, body } = await ask("/", { method: "POST", headers: signed(service) });
    expect(status).toBe(503);
    expect(body).toMatch(service === "s3" ? /<Code>SlowDown<\/Code>/ : /ServiceUnavailable/);
    expect(carriedOut).toEqual([]);
  });

  test("a delayed request arrives later, and is answered", async () => {
    proxy.inject({ fault: { kind: "delay", ms: 80 }, which: {} });
    const startedAt = performance.now();
    expect((await ask()).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(70);
  });

  test("a request that is held arrives when it is let go, although nobody waits any more", async () => {
    const rule = proxy.inject({ fault: { kind: "hold_request" }, which: {} });
    const gone = new AbortController();
    const asked = ask("/bucket/key", { signal: gone.signal });
    await expect.poll(() => rule.hits()).toBe(1);
    gone.abort();
    await expect(asked).rejects.toThrow(/abort/);
    expect(carriedOut).toEqual([]);
    rule.letGo();
    await expect.poll(() => carriedOut).toEqual(["GET /bucket/key"]);
  });

  test("a request whose answer is held is carried out at once", async () => {
    const rule = proxy.inject({ fault: { kind: "hold_answer" }, which: {} });
    const asked = ask();
    await expect.poll(() => carriedOut).toHaveLength(1);
    rule.letGo();
    expect((await asked).status).toBe(200);
  });

  test("a rule is about a service, an operation, a function, a try, a path and what is mentioned", async () => {
    const copy = { ...signed("s3"), "x-amz-copy-source": "source/a/4711", "amz-sdk-request": "attempt=2; max=3" };
    const about = {
      service: "s3",
      operation: "CopyObject",
      method: "PUT",
      path: /^\/bucket\//,
      caller: "event-consumer",
      attempt: 2,
      mentions: "4711",
    } as const;
    const others = [
      { ...about, service: "sqs" },
      { ...about, operation: "PutObject" },
      { ...about, method: "GET" },
      { ...about, path: /^\/other\// },
      { ...about, caller: "verification" },
      { ...about, attempt: 1 },
      { ...about, mentions: "4712" },
    ] as const;
    const missing = others.map((which) => proxy.inject({ fault: { kind: "reset" }, which }));
    const hit = proxy.inject({ fault: { kind: "slow_down" }, which: about });
    expect((await ask("/bucket/key", { method: "PUT", headers: copy })).status).toBe(503);
    expect(hit.hits()).toBe(1);
    expect(missing.map((rule) => rule.hits())).toEqual(others.map(() => 0));
  });

  test("a rule hits as often as it says, and then no more", async () => {
    const rule = proxy.inject({ fault: { kind: "slow_down" }, which: {}, times: 2 });
    const statuses = [(await ask()).status, (await ask()).status, (await ask()).status];
    expect(statuses).toEqual([503, 503, 200]);
    expect(rule.hits()).toBe(2);
  });

  test("a share of the requests is hit, the same ones for the same seed, and the first in any case", async () => {
    const once = await hitsOf(7);
    expect(once).toMatch(/^x.*\..*x/);
    expect(await hitsOf(7)).toBe(once);
    expect(await hitsOf(8)).not.toBe(once);
  });

  test("nothing goes wrong any more once the rules are lifted, or their time is over", async () => {
    proxy.inject({ fault: { kind: "reset" }, which: {}, times: 100 });
    proxy.lift();
    expect((await ask()).status).toBe(200);

    await proxy.stop();
    proxy = await start(1, 20);
    const held = proxy.inject({ fault: { kind: "hold_request" }, which: {}, times: 100 });
    expect((await ask()).status).toBe(200);
    expect(held.hits()).toBe(1);
    expect((await ask()).status).toBe(200);
    expect(held.hits()).toBe(1);
  });

  test.each([
    { times: 0 },
    { times: 1.5 },
    { times: 1_000_000 },
    { share: 1.1 },
    { share: Number.NaN },
    { fault: { kind: "delay", ms: 3_600_000 } },
  ] as const)("a rule that is out of bounds is refused: %o", (part) => {
    expect(() => proxy.inject({ fault: { kind: "reset" }, which: {}, ...part })).toThrow(/expected/);
  });

  test.each(["https://s3.amazonaws.com", "http://192.0.2.1:4566", "http://127.0.0.1.example.com"])(
    "it does not stand before %s, which is not on this machine",
    async (elsewhere) => {
      await expect(startFaultProxy(elsewhere, { seed: 1 })).rejects.toThrow(/not here/);
    },
  );
});
