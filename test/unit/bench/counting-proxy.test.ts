import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCountingProxy } from "../../bench/counting-proxy.ts";
import type { Exchange } from "../../support/wire/exchange.ts";
import type { WireProxy } from "../../support/wire/proxy.ts";

describe("the counting proxy", () => {
  let cloud: Server;
  let origin: string;
  let proxy: WireProxy;
  const asked: { readonly host: string | undefined; readonly body: string }[] = [];
  const seen: Exchange[] = [];

  beforeEach(async () => {
    asked.length = 0;
    seen.length = 0;
    const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
      asked.push({ host: incoming.headers.host, body: await text(incoming) });
      if (incoming.url === "/queue") {
        outgoing.writeHead(200, { "content-type": "application/json" }).end(`{"QueueUrl":"${origin}/0/queue"}`);
      } else {
        outgoing.writeHead(404, { "content-type": "binary/octet-stream", "x-amz-version-id": "1" }).end("content");
      }
    };
    cloud = createServer((incoming, outgoing) => void answer(incoming, outgoing));
    await new Promise<void>((listening) => cloud.listen(0, "127.0.0.1", listening));
    origin = `http://127.0.0.1:${(cloud.address() as AddressInfo).port}`;
    proxy = await startCountingProxy(origin, (exchange) => seen.push(exchange));
  });

  afterEach(async () => {
    await proxy.stop();
    await new Promise((closed) => cloud.close(closed));
  });

  it("passes requests on as if they had gone to the cloud, and tells of each", async () => {
    const answer = await fetch(`${proxy.endpoint}/bucket/key?x=1`, { method: "PUT", body: "hello" });
    expect(answer.status).toBe(404);
    expect(answer.headers.get("x-amz-version-id")).toBe("1");
    expect(await answer.text()).toBe("content");
    expect(asked).toEqual([{ host: new URL(origin).host, body: "hello" }]);
    expect(seen).toMatchObject([{ method: "PUT", path: "/bucket/key?x=1", status: 404 }]);
    expect(seen[0]?.requestBody.toString()).toBe("hello");
    expect(seen[0]?.responseBody).toHaveLength(0);
  });

  it("makes a queue's address lead through itself, and the cloud sees its own", async () => {
    const answer = (await (await fetch(`${proxy.endpoint}/queue`)).json()) as { readonly QueueUrl: string };
    expect(answer.QueueUrl).toBe(`${proxy.endpoint}/0/queue`);
    await fetch(`${proxy.endpoint}/queue`, { method: "POST", body: JSON.stringify(answer) });
    expect(asked[1]?.body).toBe(`{"QueueUrl":"${origin}/0/queue"}`);
  });
});
