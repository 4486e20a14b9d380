import { formatToken, recordOf, TOKEN_BYTES, type TokenRecord, type TokenRequest } from "../geo/tokens.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import { putToken } from "../tables/site/put-token.ts";

/** What issuing needs. */
export interface TokenIssuer {
  readonly site: Pick<Table, "put">;
  readonly clock: Clock;
  /** Bytes from a cryptographic source: `randomBytes` of node:crypto. */
  readonly randomBytes: (size: number) => Uint8Array;
}

/** A new token. `token` is the secret itself: show it once, store it nowhere. */
export interface IssuedToken {
  readonly token: string;
  readonly record: TokenRecord;
}

/** Makes a token and stores its hash. Throws `GEO_INVALID_TOKEN_REQUEST` with every problem of the request. */
export const issueToken = async (issuer: TokenIssuer, request: TokenRequest): Promise<IssuedToken> => {
  const token = formatToken(issuer.randomBytes(TOKEN_BYTES));
  const record = recordOf(token, request, issuer.clock.now());
  await putToken(issuer.site, record);
  return { token, record };
};
