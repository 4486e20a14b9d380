import { relative } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { featuresShown, type RanTest } from "./feature-catalogue.ts";
import { ROOT } from "./paths.ts";
import { endOnSignals, stopEverything } from "./processes.ts";
import { runVitest } from "./step-results.ts";

const HELP = `Says which of Geo's features F1 to F107 are shown by which tests. Runs every test that needs no cloud, which takes
some minutes: a test counts when it ran and passed. A test shows a feature by naming its number in its title.

Usage: npm run features [-- --json]

  --json   one JSON array on stdout, [{"id", "title", "tests"}], and nothing else there
  --help   this text

Examples:
  npm run features
  npm run --silent features -- --json | jq -r '.[] | select(.tests == []) | .id'
`;

const HEARTBEAT_MS = 15_000;

const { values } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  endOnSignals();
  const startedAt = Date.now();
  const heartbeat = setInterval(
    () => process.stderr.write(`Running the tests: ${Math.round((Date.now() - startedAt) / 1_000)} s so far\n`),
    HEARTBEAT_MS,
  );
  const { report, said } = await runVitest("Features", ["--project", "anywhere*"]).finally(() =>
    clearInterval(heartbeat),
  );
  await stopEverything();
  if (report === undefined) {
    process.stderr.write(`the tests could not be run:\n${said}\n`);
    process.exit(1);
  }
  const ran: readonly RanTest[] = report.testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "passed" || status === "failed")
      .map(({ fullName, status }) => ({ file: relative(ROOT, file), name: fullName, passed: status === "passed" })),
  );
  const features = featuresShown(ran);
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify(features, undefined, 2)}\n`);
  } else {
    for (const { id, title, tests } of features) {
      process.stdout.write(
        `${id.padEnd(5)} ${tests.length === 0 ? "not shown" : `${tests.length} tests`.padEnd(9)}  ${title}\n`,
      );
      for (const test of tests.slice(0, 3)) process.stdout.write(`        ${test}\n`);
      if (tests.length > 3) process.stdout.write(`        and ${tests.length - 3} more\n`);
    }
    const shown = features.filter(({ tests }) => tests.length > 0).length;
    process.stdout.write(`${shown} of ${features.length} features are shown by ${ran.length} tests\n`);
  }
}
