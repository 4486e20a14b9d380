import { randomBytes } from "node:crypto";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { secondaryNames } from "../../shared/geo/physical-names.ts";
import { parseRegistryRow, rowKey } from "../../shared/geo/registry-row.ts";
import { applySelection } from "../../shared/geo/replicable-selection.ts";
import { formatToken, recordOf, TOKEN_BYTES } from "../../shared/geo/tokens.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { tokenKey } from "../../shared/tables/site/token-item.ts";
import { clientsFor, type Clients } from "./clients.ts";
import type { Cloud } from "./cloud.ts";
import { cloudDemoBucket } from "./cloud-demo-bucket.ts";
import type { DemoSite, DemoWorld } from "./demo-world.ts";
import type { DeployedSite, Deployment } from "./deploy.ts";

/** An administrator's token for a day. Who may write the site's table may make one: trust starts at IAM. */
const issueAdminToken = async ({ dynamo }: Clients, siteTable: string): Promise<string> => {
  const token = formatToken(randomBytes(TOKEN_BYTES));
  const record = recordOf(token, { name: "local", scope: "admin_geo", days: 1 }, Date.now());
  await dynamo.send(
    new PutCommand({
      TableName: siteTable,
      Item: {
        ...tokenKey(record.hash),
        name: record.name,
        scope: record.scope,
        created_at: record.createdAt,
        expires_at: record.expiresAt,
      },
    }),
  );
  return token;
};

/** The deployed sites, as the demonstration sees them. */
export const cloudWorld = async (cloud: Cloud, deployment: Deployment): Promise<DemoWorld> => {
  const { config, primary, secondaries } = deployment;
  const [secondary, ...further] = secondaries;
  if (secondary === undefined) throw new Error("the deployment has no secondary site");
  const siteOf = async (site: DeployedSite): Promise<DemoSite> => {
    const clients = clientsFor(cloud, site.region);
    return {
      name: site.name,
      role: site.role,
      region: site.region,
      bucket: cloudDemoBucket(clients.s3, site.bucket),
      siteTable: site.siteTable,
      apiUrl: site.apiUrl,
      adminToken: await issueAdminToken(clients, site.siteTable),
    };
  };
  const { dynamo } = clientsFor(cloud, secondary.region);
  const { registryTable } = secondaryNames(config, secondary);
  return {
    cloud: {
      name: cloud.name,
      version: cloud.version,
      account: cloud.account,
      ...(cloud.endpoint === undefined ? {} : { endpoint: cloud.endpoint }),
    },
    ...(cloud.credentials === undefined
      ? {}
      : {
          credentials: {
            access_key_id: cloud.credentials.accessKeyId,
            secret_access_key: cloud.credentials.secretAccessKey,
          },
        }),
    replicables: applySelection(replicables, config.selection),
    primary: await siteOf(primary),
    secondary: await siteOf(secondary),
    furtherSecondaries: await Promise.all(further.map(siteOf)),
    async registryRow(ref) {
      const { Item } = await dynamo.send(
        new GetCommand({ TableName: registryTable, Key: rowKey(ref), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : parseRegistryRow(Item);
    },
  };
};
