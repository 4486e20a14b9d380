import { CfnQueryDefinition } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

import { siteNames } from "../../shared/geo/physical-names.ts";
import { DrawnSite } from "./drawn-metrics.ts";
import type { GeoSiteProps } from "./geo-site.ts";

interface SavedQuery {
  /** How it is called in CloudWatch, in a folder of the site's name. */
  readonly name: string;
  /** What it answers, for docs/observability.md. */
  readonly answers: string;
  readonly lines: readonly string[];
}

/** What people ask of the logs, ready to be run. A key or an id in quotes stands for the one that is looked for. */
export const SAVED_QUERIES: readonly SavedQuery[] = [
  {
    name: "Life of one key",
    answers:
      "What has happened to an object, from the first function to the last. Keys are percent-encoded; slashes are not.",
    lines: [
      "fields @timestamp, service, message, from, to, how, kind, reason, bytes, duration_ms, correlation_id",
      'filter key = "cool_widgets/42/widget.bin"',
      "sort @timestamp asc",
      "limit 1000",
    ],
  },
  {
    name: "Failures by reason",
    answers: "What fails how often, and when it did last.",
    lines: [
      'filter to = "failed"',
      "stats count(*) as times, count_distinct(key) as keys, latest(@timestamp) as last_time by message, replicable_name, kind, reason",
      "sort times desc",
      "limit 100",
    ],
  },
  {
    name: "Slowest copies",
    answers: "Which copies took longest, and how large they were.",
    lines: [
      "fields @timestamp, replicable_name, key, bytes, duration_ms, verification, correlation_id",
      'filter message = "synced" and how = "copied"',
      "sort duration_ms desc",
      "limit 50",
    ],
  },
  {
    name: "Who changed what",
    answers: "Calls of the API that change something, and what operators said, with the name of the token.",
    lines: [
      "fields @timestamp, token_name, message, method, path, status, request_id",
      'filter message like /^an operator/ or (message = "api_call" and service = "status-api" and method != "GET" and method != "HEAD")',
      "sort @timestamp desc",
      "limit 200",
    ],
  },
  {
    name: "One correlation id",
    answers: "Everything that one change led to: the id of an S3 request, of a message, or of an operator's request.",
    lines: [
      "fields @timestamp, service, message, replicable_name, key, from, to, reason, duration_ms",
      'filter correlation_id = "C3D13FE58DE4C810"',
      "sort @timestamp asc",
      "limit 1000",
    ],
  },
];

/** The saved queries of one site, over the logs of all functions that are in its region. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, props: GeoSiteProps) {
    super(scope, "SavedQueries");
    const site = new DrawnSite(props);
    // Logs Insights reads one region at a time: the log of a secondary's feed is asked where the feed is.
    const logs = site.folders.filter((folder) => folder !== "event-publisher").map((folder) => site.logOf(folder));
    for (const { name, lines } of SAVED_QUERIES) {
      new CfnQueryDefinition(this, name.replaceAll(" ", ""), {
        name: `${siteNames(props.config, props.site).dashboard}/${name}`,
        queryString: lines.join("\n| "),
        logGroupNames: logs,
      });
    }
  }
}
