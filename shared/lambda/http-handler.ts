import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { TOKEN_SCOPES, type TokenScope } from "../geo/tokens.ts";
import type { Clock } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/** Anything that answers web requests; a hono app is one. */
export interface WebApp {
  fetch(request: Request, context: CallContext): Response | Promise<Response>;
}

/** What an app gets to know of a call beside the request. */
export interface CallContext {
  /** Where the caller reached the API, stage included, without a slash at the end: `https://api.example.com/geo`. */
  readonly apiUrl: string;
  /** Whose token opened the API; for logs of what was changed. */
  readonly tokenName?: string | undefined;
  /** By what that token is told from others of the same name: the first digits of its hash. */
  readonly tokenId?: string | undefined;
  /** What that token may do. Nothing where nobody was asked: then the call may do nothing that takes a scope. */
  readonly tokenScope?: TokenScope | undefined;
}

const headersOf = (event: APIGatewayProxyEvent): Headers => {
  const headers = new Headers();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    for (const value of values ?? []) headers.append(name, value);
  }
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    if (value !== undefined && !headers.has(name)) headers.set(name, value);
  }
  return headers;
};

const queryOf = (event: APIGatewayProxyEvent): string => {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) query.append(name, value);
  }
  for (const [name, value] of Object.entries(event.queryStringParameters ?? {})) {
    if (value !== undefined && !query.has(name)) query.set(name, value);
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
};

/** The URL without the path that the app sees: scheme, host, and the stage, which API Gateway takes off the path. */
const apiUrlOf = (event: APIGatewayProxyEvent, headers: Headers): string => {
  const host = event.requestContext.domainName ?? headers.get("host") ?? "localhost";
  const scheme = headers.get("x-forwarded-proto") ?? "https";
  const { path } = event.requestContext;
  const stage = path?.endsWith(event.path) ? path.slice(0, path.length - event.path.length) : "";
  return `${scheme}://${host}${stage}`;
};

const requestOf = (event: APIGatewayProxyEvent, headers: Headers): Request => {
  const hasBody = event.body !== null && event.body !== undefined && !["GET", "HEAD"].includes(event.httpMethod);
  // The app decides by path; the host is never used for anything but links, so a fixed one can not be forged.
  return new Request(`https://api.invalid${event.path}${queryOf(event)}`, {
    method: event.httpMethod,
    headers,
    ...(hasBody && { body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8") }),
  });
};

const resultOf = async (response: Response): Promise<APIGatewayProxyResult> => ({
  statusCode: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});

const message = (statusCode: number, text: string): APIGatewayProxyResult => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message: text }),
});

/**
 * Answers API Gateway's proxy events (REST API, payload version 1) with a web app that answers in text. A call that is no
 * HTTP request gets a 400; whatever the app throws, the caller gets a 500 without any detail and the log has the reason.
 */
export const httpHandler =
  (app: WebApp, { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Telemetry }) =>
  async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    const startedAt = clock.now();
    const tokenName = event.requestContext.authorizer?.["token_name"] as string | undefined; // set by our authorizer
    const tokenId = event.requestContext.authorizer?.["token_id"] as string | undefined; // by the same
    const tokenScope = TOKEN_SCOPES.find((scope) => scope === event.requestContext.authorizer?.["token_scope"]);
    const answer = async (): Promise<APIGatewayProxyResult> => {
      let request: Request;
      let apiUrl: string;
      try {
        const headers = headersOf(event);
        request = requestOf(event, headers);
        apiUrl = apiUrlOf(event, headers);
      } catch {
        return message(400, "400 Bad request");
      }
      try {
        return await resultOf(await app.fetch(request, { apiUrl, tokenName, tokenId, tokenScope }));
      } catch (error) {
        telemetry.error("api_call_failed", { path: event.path, message: String(error) });
        return message(500, "500 Internal Server Error");
      }
    };
    const result = await answer();
    telemetry.info("api_call", {
      method: event.httpMethod,
      path: event.path,
      status: result.statusCode,
      milliseconds: clock.now() - startedAt,
      request_id: event.requestContext.requestId,
      token_name: tokenName,
    });
    return result;
  };
