import type { CallContext, WebApp } from "../../shared/lambda/http-handler.ts";
import { tokenId } from "../../shared/geo/tokens.ts";
import { authenticate, type Gatekeeper } from "../../shared/services/authenticate.ts";

const refusal = (status: number, message: string): Response =>
  Response.json({ message }, { status, headers: { "cache-control": "no-store" } });

/**
 * The API with its authorizer in front of it, in one process: what API Gateway makes of the two, with the same answers.
 * For worlds without an API Gateway (the embedded one, tests).
 */
export const admitted = (app: WebApp, gatekeeper: Gatekeeper): WebApp => ({
  fetch: async (request: Request, context: CallContext): Promise<Response> => {
    const { pathname: path } = new URL(request.url);
    const call = { method: request.method, path, headers: Object.fromEntries(request.headers) };
    const admission = await authenticate(gatekeeper, call);
    if (admission.admission === "missing") return refusal(401, "401 Unauthorized");
    if (admission.admission === "denied") return refusal(403, "403 Forbidden");
    const { name: tokenName, scope: tokenScope, hash } = admission.token;
    return app.fetch(request, { ...context, tokenName, tokenId: tokenId(hash), tokenScope });
  },
});
