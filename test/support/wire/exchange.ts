/** One request to the cloud, as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly requestBody: Buffer;
}

/** One request to the cloud and its answer. */
export interface Exchange extends WireRequest {
  readonly status: number;
  /** Empty for the content of objects. */
  readonly responseBody: Buffer;
}

type Headed = Pick<WireRequest, "headers">;

/** The region and service that a request was signed for. */
export const signedFor = ({ headers }: Headed): { readonly region: string; readonly service: string } => {
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\/aws4_request/.exec(headers["authorization"] ?? "");
  return { region: scope?.[1] ?? "unknown", service: scope?.[2] ?? "unknown" };
};

/**
 * The name that the SDK was told to go by (`AWS_SDK_UA_APP_ID`): that of the function. Powertools writes itself behind it
 * (`…-PT-NO-OP-2.35.0-PTEnv-NA`).
 */
export const callerOf = ({ headers }: Headed): string =>
  /(?:^|\s)app\/(\S+?)(?:[-/]PT[-/]\S*PTEnv\S*)?(?=\s|$)/.exec(headers["user-agent"] ?? "")?.[1] ?? "unknown";

/** Which try of the SDK's this is, from 1; 1 when it does not say. */
export const attemptOf = ({ headers }: Headed): number =>
  Number(/attempt=(\d+)/.exec(headers["amz-sdk-request"] ?? "")?.[1] ?? 1);
