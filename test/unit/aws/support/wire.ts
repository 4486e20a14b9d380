import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { S3Client } from "@aws-sdk/client-s3";

/** What the server at the other end of the wire does with a request. */
export type Answer =
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | "hang up"
  | "say nothing"
  /** Made from the body of the request. */
  | ((body: string) => Exclude<Answer, (body: string) => unknown>);

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A service that answers from a script, and remembers what it was asked. */
export interface Wire {
  /** Given once each, in order, before `answer`. */
  readonly first: Answer[];
  /** Given to everything else. */
  answer: Answer;
  readonly seen: SeenRequest[];
  readonly endpoint: string;
  close(): void;
}

const answerTo = async (request: IncomingMessage, response: ServerResponse, next: Answer): Promise<void> => {
  const body = await text(request);
  const answer = typeof next === "function" ? next(body) : next;
  if (answer === "say nothing") return;
  if (answer === "hang up") request.socket.destroy();
  else response.writeHead(answer.status, { ...answer.headers }).end(answer.body);
};

export const openWire = async (): Promise<Wire> => {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    void answerTo(request, response, wire.first.shift() ?? wire.answer);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const wire: Wire = {
    first: [],
    answer: { status: 500 },
    seen,
    endpoint: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return wire;
};

/** Credentials that sign, and open nothing. */
export const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };

/** A client that talks to the wire and sends everything once. */
export const s3ClientOn = (endpoint: string): S3Client =>
  new S3Client({
    region: "eu-west-1",
    endpoint,
    maxAttempts: 1,
    credentials: CREDENTIALS,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });

/** An error as S3 writes it. */
export const s3Error = (code: string, message = code, more = ""): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
