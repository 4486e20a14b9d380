import { parseArgs } from "node:util";
import { HOLDING_TESTS } from "../../test/support/held-files.ts";
import { BIN, LOCAL, ROOT } from "./paths.ts";
import { endOnSignals, runCommand, stopEverything } from "./processes.ts";
import { join } from "node:path";
import process from "node:process";

const HELP = `Runs the unit tests, the scenarios and the API's tests, and says what of the rules and of the protocol's steps they run.
Ends with 1 below 100 % of lines, branches, functions and statements.

Usage: npm run coverage [-- --html]

  --html   write every file with what was run to .local/coverage/report, too
  --help   this text
`;

const { values } = parseArgs({ options: { html: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  endOnSignals();
  const reporters = values.html === true ? ["text", "html"] : ["text"];
  const { code } = await runCommand(
    join(BIN, "vitest"),
    [
      "run",
      "--project=anywhere",
      "--reporter=dot",
      "--coverage",
      ...reporters.map((reporter) => `--coverage.reporter=${reporter}`),
      `--coverage.reportsDirectory=${join(LOCAL, "coverage", "report")}`,
      ...HOLDING_TESTS,
    ],
    { cwd: ROOT, env: { NO_COLOR: "1" }, onLine: (line) => process.stdout.write(`${line}\n`) },
  );
  await stopEverything();
  process.exitCode = code;
}
