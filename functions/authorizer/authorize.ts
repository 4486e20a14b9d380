import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from "aws-lambda";
import { METRICS } from "../../shared/geo/metrics.ts";
import { GRAPHQL_PATH, READING_METHODS, tokenId, type TokenRecord } from "../../shared/geo/tokens.ts";
import type { Telemetry } from "../../shared/ports/telemetry.ts";
import { authenticate, type Gatekeeper } from "../../shared/services/authenticate.ts";

/** `arn:…:<api id>/<stage>/<method>/<path>` with everything from the method on replaced. */
const onThisStage = (methodArn: string, rest: string): string => [...methodArn.split("/").slice(0, 2), rest].join("/");

/** The methods of the API that a token opens. */
const openedBy = ({ scope }: TokenRecord, methodArn: string): string[] =>
  scope === "admin_geo"
    ? [onThisStage(methodArn, "*")]
    : [
        ...READING_METHODS.map((method) => onThisStage(methodArn, `${method}/*`)),
        onThisStage(methodArn, `POST${GRAPHQL_PATH}`),
      ];

const policy = (
  principalId: string,
  Effect: "Allow" | "Deny",
  Resource: string | string[],
): APIGatewayAuthorizerResult => ({
  principalId,
  policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect, Resource }] },
});

/**
 * Answers API Gateway's question whether a call may pass.
 *
 * A call without a token makes it throw an error with the text `Unauthorized`, which is how API Gateway wants to be told
 * of a 401. A bad token gets a policy that denies, which becomes a 403. A good one gets a policy for all that its scope
 * opens, and its name, id and scope go on to the API: for logs, for idempotency keys, and for GraphQL, which decides by the
 * scope. Denied calls are logged without what was presented: even a wrong secret may be somebody's right one elsewhere.
 */
export const authorizer =
  (gatekeeper: Gatekeeper, telemetry: Telemetry) =>
  async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    const { httpMethod: method, path, headers } = event;
    const admission = await authenticate(gatekeeper, { method, path, headers: headers ?? {} });
    if (admission.admission === "allowed") {
      const { token } = admission;
      return {
        ...policy(token.name, "Allow", openedBy(token, event.methodArn)),
        context: { token_name: token.name, token_id: tokenId(token.hash), token_scope: token.scope },
      };
    }
    telemetry.count(METRICS.apiCallDenied, 1);
    telemetry.warn("api_call_denied", {
      reason: admission.admission === "missing" ? "missing" : admission.reason,
      token_name: admission.admission === "denied" ? admission.tokenName : undefined,
      method,
      path,
      source_ip: event.requestContext.identity?.sourceIp,
    });
    if (admission.admission === "missing") throw new Error("Unauthorized");
    return policy("denied", "Deny", event.methodArn);
  };
