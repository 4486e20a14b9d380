import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Exchange } from "./exchange.ts";

/** A proxy in front of a cloud that tells of every exchange. */
export interface CountingProxy {
  /** Where to send what is to be counted. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

const collect = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
};

const flat = (headers: IncomingMessage["headers"]): Exchange["headers"] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );

/** Content of objects may be large and says nothing: it is passed on as it comes. */
const isContent = ({ headers }: IncomingMessage): boolean =>
  !/json|xml|form/.test(headers["content-type"] ?? "") || headers["x-amz-version-id"] !== undefined;

const replaced = (body: Buffer, from: string, to: string): Buffer =>
  body.includes(from) ? Buffer.from(body.toString("utf8").replaceAll(from, to)) : body;

/**
 * Starts the proxy on a free port of this machine. Queue URLs that the cloud gives out are made to lead here, since an
 * SDK sends to where a queue's URL points; on the way to the cloud they are made its own again.
 *
 * @param upstream the cloud's endpoint
 * @param onExchange called for each exchange once its answer has been passed on; must not throw
 */
export const startCountingProxy = async (
  upstream: string,
  onExchange: (exchange: Exchange) => void,
): Promise<CountingProxy> => {
  const cloud = new URL(upstream);
  const agent = new Agent({ keepAlive: true });
  let endpoint = "";

  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url: path = "/" } = incoming;
    const requestBody = replaced(await collect(incoming), endpoint, cloud.origin);
    const headers = { ...incoming.headers, host: cloud.host, "content-length": String(requestBody.length) };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ agent, host: cloud.hostname, port: cloud.port, method, path, headers }, resolve)
        .once("error", reject)
        .end(requestBody);
    });
    const { statusCode: status = 502 } = answer;
    let responseBody = Buffer.alloc(0);
    if (method === "HEAD" || isContent(answer)) {
      outgoing.writeHead(status, answer.headers);
      for await (const part of answer) outgoing.write(part);
      outgoing.end();
    } else {
      responseBody = Buffer.from(replaced(await collect(answer), cloud.origin, endpoint));
      const { "transfer-encoding": _, ...rest } = answer.headers;
      outgoing.writeHead(status, { ...rest, "content-length": String(responseBody.length) }).end(responseBody);
    }
    onExchange({ method, path, headers: flat(incoming.headers), requestBody, status, responseBody });
  };

  const server = createServer((incoming, outgoing) => {
    forward(incoming, outgoing).catch(() => {
      // The cloud has gone or does not answer: the SDK sees what it would see without us.
      incoming.socket.destroy();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
};
