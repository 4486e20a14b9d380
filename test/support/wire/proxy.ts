import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { WireRequest } from "./exchange.ts";

/** What can be done with one request. Exactly one of `pass`, `reply`, `cutShort` and `reset` ends it. */
export interface Wire {
  /** Sends the request to the cloud, once more each time it is called, and gives the answer of which the head has come. */
  send(): Promise<IncomingMessage>;
  /** Passes an answer on. Gives its body, or nothing of the content of objects, which is not kept. */
  pass(answer: IncomingMessage): Promise<Buffer>;
  /** Answers in the cloud's place. */
  reply(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Passes on the head of an answer and half of its body, and hangs up. One without a body is not passed on at all. */
  cutShort(answer: IncomingMessage): Promise<void>;
  /** Resets the connection. */
  reset(): void;
}

/** Handles one request. Should it throw, the connection is reset: the SDK sees what it sees of a cloud that is gone. */
export type Serve = (request: WireRequest, wire: Wire) => Promise<void>;

/** A proxy in front of a cloud. */
export interface WireProxy {
  /** Where to send what is to go through it. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

const flat = (headers: IncomingMessage["headers"]): WireRequest["headers"] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );

/** Content of objects may be large and says nothing: it is passed on as it comes. */
const isContent = ({ headers }: IncomingMessage): boolean =>
  !/json|xml|form/.test(headers["content-type"] ?? "") || headers["x-amz-version-id"] !== undefined;

const replaced = (body: Buffer, from: string, to: string): Buffer =>
  body.includes(from) ? Buffer.from(body.toString("utf8").replaceAll(from, to)) : body;

/** Everything but how the body is framed, which we may change. */
const passedHeaders = ({ headers }: IncomingMessage): IncomingMessage["headers"] => {
  const { "transfer-encoding": _, ...rest } = headers;
  return rest;
};

/**
 * Starts a proxy on a free port of this machine. Queue URLs that the cloud gives out are made to lead here, since an SDK
 * sends to where a queue's URL points; on the way to the cloud they are made its own again.
 *
 * @param upstream the cloud's endpoint
 */
export const startWireProxy = async (upstream: string, serve: Serve): Promise<WireProxy> => {
  const cloud = new URL(upstream);
  const agent = new Agent({ keepAlive: true });
  let endpoint = "";

  const wireOf = (asked: WireRequest, outgoing: ServerResponse): Wire => {
    const { method, path, requestBody } = asked;
    const reset = (): void => void outgoing.socket?.resetAndDestroy();
    return {
      send: () => {
        const headers = { ...asked.headers, host: cloud.host, "content-length": String(requestBody.length) };
        return new Promise((resolve, reject) => {
          request({ agent, host: cloud.hostname, port: cloud.port, method, path, headers }, resolve)
            .once("error", reject)
            .end(requestBody);
        });
      },
      pass: async (answer) => {
        const { statusCode: status = 502 } = answer;
        if (method === "HEAD" || isContent(answer)) {
          outgoing.writeHead(status, answer.headers);
          for await (const part of answer) outgoing.write(part);
          outgoing.end();
          return Buffer.alloc(0);
        }
        const body = Buffer.from(replaced(await buffer(answer), cloud.origin, endpoint));
        outgoing.writeHead(status, { ...passedHeaders(answer), "content-length": String(body.length) }).end(body);
        return body;
      },
      reply: (status, headers, body) => {
        const sent = method === "HEAD" ? "" : body;
        outgoing.writeHead(status, { ...headers, "content-length": String(Buffer.byteLength(sent)) }).end(sent);
      },
      cutShort: async (answer) => {
        const { statusCode: status = 502 } = answer;
        const body = await buffer(answer);
        if (method === "HEAD" || body.length === 0) return reset();
        outgoing.writeHead(status, { ...passedHeaders(answer), "content-length": String(body.length) });
        outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy());
      },
      reset,
    };
  };

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url: path = "/" } = incoming;
    const requestBody = replaced(await buffer(incoming), endpoint, cloud.origin);
    const asked = { method, path, headers: flat(incoming.headers), requestBody };
    await serve(asked, wireOf(asked, outgoing));
  };

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
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
