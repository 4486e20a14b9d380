import { Duration, RemovalPolicy } from "aws-cdk-lib";
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseType,
  RestApi,
  type IAuthorizer,
} from "aws-cdk-lib/aws-apigateway";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

import { reportsDrift } from "../../shared/config/geo-config.ts";
import { env } from "../../functions/status-api/env.ts";
import { encodeRedrivableQueues, redrivableQueues } from "../../shared/geo/redrivable-queues.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { SITE_TABLE_PARTITIONS, functionName, primaryNames, siteNames } from "../../shared/geo/physical-names.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { stateMachineArn } from "../constructs/arns.ts";
import { geoAlarm } from "../constructs/alarm.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { flagTableOf, objectTableOf, placeOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { grantGathering } from "../constructs/status-access.ts";
import { WorkflowAccess } from "../constructs/workflow-access.ts";

/** The stage, which is the first part of every path: `<stage>/api/v4/geo_sites/status`. */
const API_STAGE = "geo";

/**
 * In a quarter of an hour: who asks once a minute, as Prometheus does, has then been refused a third of the time. One refusal
 * is told to whoever asked, and is no reason to wake somebody else.
 */
const SERVER_ERRORS = 5;

export interface StatusApiProps extends GeoSiteProps {
  readonly authorizer: IAuthorizer;
}

/** At every site: one function behind one API, which decides on paths and methods itself. */
export class StatusApi extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, { config, site, authorizer }: StatusApiProps) {
    super(scope, "StatusApi");
    const siteTable = siteTableOf(config, site);
    const rows = objectTableOf(config, site);
    const flags = flagTableOf(config);
    const here = placeOf(config, site);
    const { bulkUpdate } = siteNames(config, site);
    const { batchDestroy } = primaryNames(config, config.primary);
    const redrivable = redrivableQueues(config, site, config.primary.region).filter(
      ({ name }) => name !== "replica-drift" || reportsDrift(site), // without reports there is no such queue
    );
    const server = new GeoFunction(this, "Server", {
      folder: "status-api",
      functionName: functionName(config, site, "status-api"),
      description: `Answers for ${site.name}`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ROLE: site.role,
        REGION: site.region,
        TABLE: rows.tableName,
        SITE_TABLE: siteTable.tableName,
        PRIMARY_SITE_TABLE: flags.tableName,
        PRIMARY_REGION: config.primary.region,
        SYNC_OBJECT_STORAGE: site.syncObjectStorage ? "true" : "false",
        SYNC_TIMEOUT_SECONDS: String(site.syncTimeoutSeconds),
        PRIMARY_NAME: config.primary.name,
        REPLICABLES: encodeReplicableSelection(config.selection),
        REDRIVABLE_QUEUES: encodeRedrivableQueues(redrivable),
        BATCH_DESTROY_MACHINE: stateMachineArn(placeOf(config, config.primary), batchDestroy),
        BULK_UPDATE_MACHINE: stateMachineArn(here, bulkUpdate),
      },
      timeout: Duration.seconds(29), // API Gateway does not wait longer
      memorySize: 512,
      tracing: config.tracing,
    });
    grantGathering(server, { config, site }); // which is more than its counters: it can be asked to look at itself
    // It shows rows and changes none: what is to be done to them it has others do.
    rows.grantLookUp(server);
    rows.grantReadMany(server);
    rows.grantListRows(server);
    rows.grantReadDue(server);
    siteTable.grantChangePartition(server, SITE_TABLE_PARTITIONS.cursorKey);
    siteTable.grantReadPartition(server, SITE_TABLE_PARTITIONS.usage);
    siteTable.grantKeepPartition(server, SITE_TABLE_PARTITIONS.bulkUpdate);
    siteTable.grantKeepPartition(server, SITE_TABLE_PARTITIONS.idempotency);
    new WorkflowAccess(here, bulkUpdate).grantStart(server);
    for (const { queue, dead_letters, region } of redrivable) {
      const place = { account: config.account, region };
      new QueueAccess(place, queue).grantSend(server);
      new QueueAccess(place, queue).grantMeasure(server);
      new QueueAccess(place, dead_letters).grantEmpty(server);
    }
    // What the site is told of itself: its settings; at the primary the flags of all sites, too.
    siteTable.grantChangePartition(server, SITE_TABLE_PARTITIONS.site);
    if (site.role === "primary") {
      // It asks for batch destroys and tells of them; the slices are the workflow's.
      siteTable.grantKeepPartition(server, SITE_TABLE_PARTITIONS.destroy);
      siteTable.grantKeepPartition(server, SITE_TABLE_PARTITIONS.destroyParent);
      siteTable.grantKeepPartition(server, SITE_TABLE_PARTITIONS.destroyRelease);
      siteTable.grantReadPartitions(server, SITE_TABLE_PARTITIONS.destroySlice);
      siteTable.grantForgetInPartition(server, SITE_TABLE_PARTITIONS.secondary); // for which destroys wait
      // It notes and forgets sites, and tells what they have reported.
      siteTable.grantKeepPartition(server, SITE_TABLE_PARTITIONS.knownSite);
      siteTable.grantTidyPartitions(server, SITE_TABLE_PARTITIONS.status);
      new WorkflowAccess(here, batchDestroy).grantStart(server);
    }
    if (site.role === "secondary") {
      flags.grantLookUpPartition(server, SITE_TABLE_PARTITIONS.site);
      siteTable.grantChangePartition(server, SITE_TABLE_PARTITIONS.consistency); // it asks for walks
      siteTable.grantReadPartition(server, SITE_TABLE_PARTITIONS.consistency); // and says how far they have come
      siteTable.grantReadPartition(server, SITE_TABLE_PARTITIONS.removalGuard);
      siteTable.grantChangePartition(server, SITE_TABLE_PARTITIONS.removalGuard);
    }

    const name = siteNames(config, site).api;
    this.api = new RestApi(this, "Api", {
      restApiName: name,
      description: `Geo API of ${site.name}`,
      endpointTypes: [EndpointType.REGIONAL],
      // For every method of the API, the one that a greedy resource adds at the root included.
      defaultIntegration: new LambdaIntegration(server.function, { allowTestInvoke: false }),
      defaultMethodOptions: { authorizer, authorizationType: AuthorizationType.CUSTOM },
      // Without this role in the account, API Gateway refuses a stage that logs. It is one per account and region.
      cloudWatchRole: true,
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN,
      deployOptions: {
        stageName: API_STAGE,
        throttlingRateLimit: config.apiThrottle.ratePerSecond,
        throttlingBurstLimit: config.apiThrottle.burst,
        accessLogDestination: new LogGroupLogDestination(
          new LogGroup(this, "AccessLog", {
            logGroupName: `/aws/apigateway/${name}`,
            retention: RetentionDays.ONE_MONTH,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        ),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(), // names no header, so no token
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        tracingEnabled: config.tracing,
      },
    });
    geoAlarm(this, "ServerErrors", {
      alarmName: `${functionName(config, site, "status-api")}-server-errors`,
      meaning: `The API of ${site.name} answers with 5xx, again and again.`,
      runbook: "status-api",
      metric: this.api.metricServerError({ period: Duration.minutes(15), statistic: "Sum" }),
      threshold: SERVER_ERRORS,
      alarmTopicArn: site.alarmTopicArn,
    });
    this.api.root.addProxy({ anyMethod: true });
    this.api.node.tryRemoveChild("Endpoint"); // the stack says the same under a name that scripts can rely on
    // GitLab's own words for what API Gateway answers before the function is asked.
    for (const [id, type, message] of [
      ["Unauthorized", ResponseType.UNAUTHORIZED, "401 Unauthorized"],
      ["Forbidden", ResponseType.ACCESS_DENIED, "403 Forbidden"],
      ["TooMany", ResponseType.THROTTLED, "429 Too Many Requests"],
    ] as const) {
      this.api.addGatewayResponse(id, { type, templates: { "application/json": JSON.stringify({ message }) } });
    }

    acknowledge(this.api, {
      APIG2: "The function validates: it answers many paths behind one greedy resource.",
      COG4: "Tokens of our own, as GitLab has: a Lambda authorizer decides, see the authorizer subsystem.",
      APIG3: "Throttles and 256-bit tokens guard it; a web ACL is the account owner's to attach.",
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]":
        "AWS documents this managed policy as the one for API Gateway's log role.",
    });
  }
}
