import { fromEnv } from "@aws-sdk/credential-provider-env";

/**
 * Where the SDK's clients find their credentials in a Lambda function: in its environment, and nowhere else. Bundles have this
 * in the place of the SDK's own chain, which also looks in files, asks instance metadata, and signs in by SSO and STS: an
 * eighth of a bundle that no function ever runs.
 *
 * @public by its name in `infra/constructs/geo-function.ts`
 */
export const defaultProvider = (): ReturnType<typeof fromEnv> => fromEnv();
